"""Study 003: how trainable recurrent nets are, what they can hold, and how they get there."""
