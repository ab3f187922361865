"""Vectors of ``LANES`` numbers as values in compiled code.

A buffer is a flat array; its row ``k`` is the vector of its elements ``k * LANES`` to ``(k + 1) * LANES``. Loads
and stores name a row. Nothing is checked: kernels keep within the buffers that they are handed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

LANES = 16

_LLVM = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
_I32 = ir.IntType(32)


class Vector(types.Type):
    """The type of a vector in compiled code: ``LANES`` numbers of one dtype."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype} x {LANES})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(_LLVM[kind.dtype], LANES))


def is_flat(kind: Any) -> bool:
    """Whether a type is that of a flat buffer, of whatever numbers."""
    return isinstance(kind, types.CPointer) or (isinstance(kind, types.Array) and kind.ndim == 1)


def _is_buffer(kind: Any) -> bool:
    return is_flat(kind) and kind.dtype in _LLVM


def start_of(context: Any, builder: Any, kind: Any, buffer: Any) -> Any:
    """Pointer to the first number of a buffer."""
    if isinstance(kind, types.CPointer):
        return buffer
    return context.make_array(kind)(context, builder, buffer).data


@intrinsic
def bare(typing: Any, array: Any) -> Any:
    """A buffer without the count of who holds it, which loops would go on counting; null where it is empty.

    None stays None, which is known while a loop is compiled: branches on it cost nothing, but a loop of its own.
    """
    if isinstance(array, types.NoneType):
        return array(array), lambda context, builder, signature, arguments: context.get_dummy_value()
    if not isinstance(array, types.Array):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        empty = builder.icmp_signed("==", made.nitems, made.nitems.type(0))
        return builder.select(empty, ir.Constant(made.data.type, None), made.data)

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def present(typing: Any, buffer: Any) -> Any:
    """Whether there is a buffer, of what :func:`bare` returned."""
    if not isinstance(buffer, types.CPointer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.icmp_unsigned("!=", arguments[0], ir.Constant(arguments[0].type, None))

    return types.boolean(buffer), generate


def _row(context: Any, builder: Any, kind: Any, array: Any, row: Any) -> Any:
    """Pointer to a row of a buffer, as a pointer to a vector."""
    data = start_of(context, builder, kind, array)
    first = builder.gep(data, [builder.mul(row, row.type(LANES))])
    return builder.bitcast(first, ir.VectorType(_LLVM[kind.dtype], LANES).as_pointer())


def _bytes(kind: types.Array) -> int:
    return int(kind.dtype.bitwidth // 8)  # type: ignore[attr-defined]


@intrinsic
def load(typing: Any, buffer: Any, row: Any) -> Any:
    """Row of a buffer as a vector: ``load(buffer, row)``."""
    if not _is_buffer(buffer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        where = _row(context, builder, signature.args[0], *arguments)
        return builder.load(where, align=_bytes(signature.args[0]))

    return Vector(buffer.dtype)(buffer, types.intp), generate


@intrinsic
def store(typing: Any, buffer: Any, row: Any, value: Any) -> Any:
    """Put a vector into a row of a buffer: ``store(buffer, row, value)``."""
    if not _is_buffer(buffer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        where = _row(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], where, align=_bytes(signature.args[0]))
        return context.get_dummy_value()

    return types.void(buffer, types.intp, Vector(buffer.dtype)), generate


@intrinsic
def splat(typing: Any, buffer: Any, number: Any) -> Any:
    """A number in every lane, in the dtype of a buffer: ``splat(buffer, number)``."""
    if not _is_buffer(buffer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return spread(builder, ir.VectorType(_LLVM[signature.args[0].dtype], LANES), arguments[1])

    return Vector(buffer.dtype)(buffer, buffer.dtype), generate


def spread(builder: Any, kind: ir.VectorType, number: Any) -> Any:
    """A number in every lane of a vector of this kind."""
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), number, _I32(0))
    zeros = ir.Constant(ir.VectorType(_I32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), zeros)


@intrinsic
def gather(typing: Any, buffer: Any, rows: Any, index: Any, offset: Any) -> Any:
    """Lane ``l`` of row ``rows[index * LANES + l] + offset``: another row for every model."""
    if not _is_buffer(buffer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = ir.Constant(ir.VectorType(_LLVM[signature.args[0].dtype], LANES), ir.Undefined)
        for lane, where in enumerate(_elements(context, builder, signature, arguments)):
            value = builder.insert_element(value, builder.load(where), _I32(lane))
        return value

    return Vector(buffer.dtype)(buffer, rows, types.intp, types.intp), generate


@intrinsic
def scatter_add(typing: Any, buffer: Any, rows: Any, index: Any, offset: Any, value: Any) -> Any:
    """Add lane ``l`` of a vector to lane ``l`` of row ``rows[index * LANES + l] + offset``."""
    if not _is_buffer(buffer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for lane, where in enumerate(_elements(context, builder, signature, arguments)):
            more = builder.extract_element(arguments[4], _I32(lane))
            builder.store(builder.fadd(builder.load(where), more), where)
        return context.get_dummy_value()

    signature = types.void(buffer, rows, types.intp, types.intp, Vector(buffer.dtype))
    return signature, generate


def _elements(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """Pointers to one element per lane, each in its own row."""
    buffer = start_of(context, builder, signature.args[0], arguments[0])
    rows = context.make_array(signature.args[1])(context, builder, arguments[1]).data
    index, offset = arguments[2:4]
    first = builder.mul(index, index.type(LANES))
    found = []
    for lane in range(LANES):
        row = builder.load(builder.gep(rows, [builder.add(first, first.type(lane))]))
        element = builder.add(builder.mul(builder.add(row, offset), row.type(LANES)), row.type(lane))
        found.append(builder.gep(buffer, [element]))
    return found


def _elementwise(name: str, arity: int, emit: Callable[..., Any], doc: str) -> Any:
    """An intrinsic of vectors of one type."""

    def check(kinds: tuple[Any, ...]) -> Any:
        same = isinstance(kinds[0], Vector) and all(kind == kinds[0] for kind in kinds)
        return kinds[0](*kinds) if same else None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit(builder, signature.return_type.dtype, *arguments)

    if arity == 1:

        def typed(typing: Any, a: Any) -> Any:
            signature = check((a,))
            return signature and (signature, generate)
    elif arity == 2:

        def typed(typing: Any, a: Any, b: Any) -> Any:  # type: ignore[misc]
            signature = check((a, b))
            return signature and (signature, generate)
    else:

        def typed(typing: Any, a: Any, b: Any, c: Any) -> Any:  # type: ignore[misc]
            signature = check((a, b, c))
            return signature and (signature, generate)

    typed.__name__, typed.__doc__ = name, doc
    return intrinsic(typed)


def call_llvm(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call ``llvm.name``, which returns a value of type ``result``."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}"), arguments)


def _library(builder: Any, name: str, dtype: types.Float, *arguments: Any) -> Any:
    """Call one of LLVM's own vector functions."""
    return call_llvm(builder, f"{name}.v{LANES}f{dtype.bitwidth}", arguments[0].type, *arguments)


def _emit_clamp(builder: Any, dtype: types.Float, value: Any, bound: Any) -> Any:
    low = builder.fneg(bound)
    value = builder.select(builder.fcmp_ordered(">", value, bound), bound, value)
    return builder.select(builder.fcmp_ordered("<", value, low), low, value)


def _emit_compared(symbol: str) -> Callable[..., Any]:
    def emit(builder: Any, dtype: types.Float, value: Any) -> Any:
        zero, one = _constants(dtype, 0.0, 1.0)
        return builder.select(builder.fcmp_ordered(symbol, value, zero), one, zero)

    return emit


def _constants(dtype: types.Float, *numbers: float) -> list[ir.Constant]:
    kind = ir.VectorType(_LLVM[dtype], LANES)
    return [ir.Constant(kind, [number] * LANES) for number in numbers]


add = _elementwise("add", 2, lambda b, t, x, y: b.fadd(x, y), "Sum.")
sub = _elementwise("sub", 2, lambda b, t, x, y: b.fsub(x, y), "Difference.")
mul = _elementwise("mul", 2, lambda b, t, x, y: b.fmul(x, y), "Product.")
div = _elementwise("div", 2, lambda b, t, x, y: b.fdiv(x, y), "Quotient.")
fma = _elementwise("fma", 3, lambda b, t, x, y, z: _library(b, "fma", t, x, y, z), "x * y + z, rounded once.")
sqrt = _elementwise("sqrt", 1, lambda b, t, x: _library(b, "sqrt", t, x), "Square root.")
clamp = _elementwise("clamp", 2, _emit_clamp, "Cut off at plus and minus a bound; NaN stays NaN.")
is_positive = _elementwise("is_positive", 1, _emit_compared(">"), "1 where the number is above 0, else 0.")
is_at_most_0 = _elementwise(
    "is_at_most_0", 1, _emit_compared("<="), "1 where the number is 0 or below, else (and for NaN) 0."
)


def _operator(symbol: Any, function: Any) -> None:
    @overload(symbol, strict=False)
    def vectors(a: Any, b: Any) -> Any:
        if isinstance(a, Vector) and a == b:
            return lambda a, b: function(a, b)
        return None


for _symbol, _function in (
    (operator.add, add),
    (operator.sub, sub),
    (operator.mul, mul),
    (operator.truediv, div),
):
    _operator(_symbol, _function)


# Rational approximation of tanh by Eigen (MathFunctionsImpl.h, ptanh_float): odd numerator, even denominator.
_BOUND = 7.90531110763549805
_ODD = (
    -2.76076847742355e-16,
    2.00018790482477e-13,
    -8.60467152213735e-11,
    5.12229709037114e-08,
    1.48572235717979e-05,
    6.37261928875436e-04,
    4.89352455891786e-03,
)
_EVEN = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)


def _emit_divided(builder: Any, dtype: types.Float, above: Any, below: Any) -> Any:
    return builder.fdiv(above, below)


def emit_tanh(
    builder: Any, dtype: types.Float, value: Any, divided: Callable[..., Any] = _emit_divided
) -> Any:
    """Code for tanh; in float32 ``divided`` makes its quotient."""
    if dtype == types.float64:
        # 1 - 2 / (exp(2 x) + 1): absolute error of a few 1e-16
        one, two = _constants(dtype, 1.0, 2.0)
        grown = _library(builder, "exp", dtype, builder.fmul(two, value))
        return builder.fsub(one, builder.fdiv(two, builder.fadd(grown, one)))
    x = _emit_clamp(builder, dtype, value, _constants(dtype, _BOUND)[0])
    square = builder.fmul(x, x)
    sums = []
    for coefficients in (_ODD, _EVEN):
        total, *rest = _constants(dtype, *coefficients)
        for coefficient in rest:
            total = _library(builder, "fma", dtype, total, square, coefficient)
        sums.append(total)
    return divided(builder, dtype, builder.fmul(x, sums[0]), sums[1])


def emit_sigmoid(
    builder: Any, dtype: types.Float, value: Any, divided: Callable[..., Any] = _emit_divided
) -> Any:
    """Code for the logistic function, as :func:`emit_tanh`."""
    (half,) = _constants(dtype, 0.5)
    squashed = emit_tanh(builder, dtype, builder.fmul(half, value), divided)
    return _library(builder, "fma", dtype, half, squashed, half)


tanh = _elementwise("tanh", 1, emit_tanh, "Hyperbolic tangent, to a few 1e-7 in float32.")
sigmoid = _elementwise("sigmoid", 1, emit_sigmoid, "Logistic function, as half of a tanh and a half.")
