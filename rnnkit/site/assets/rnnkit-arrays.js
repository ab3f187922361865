/* Arrays as rnnkit/figures/quantise.py encodes them: { shape, dtype, lo, step, missing | labels, data (base64) }. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});

  const READERS = {
    u1: (view, i) => view.getUint8(i),
    u2: (view, i) => view.getUint16(2 * i, true),
    u4: (view, i) => view.getUint32(4 * i, true),
    f4: (view, i) => view.getFloat32(4 * i, true), // the value itself: lo is 0 and step 1
  };

  /* The flat values and their shape: lo + code * step, NaN where the code is the missing one, or labels. */
  function decode(payload) {
    const raw = atob(payload.data);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    const view = new DataView(bytes.buffer), read = READERS[payload.dtype];
    const count = payload.shape.reduce((product, n) => product * n, 1);
    const values = payload.labels ? new Array(count) : new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const code = read(view, i);
      if (payload.labels) values[i] = payload.labels[code];
      else values[i] = code === payload.missing ? NaN : payload.lo + code * payload.step;
    }
    return { shape: payload.shape, values: values };
  }

  /* The part of an array at the given leading indices: a number, a (typed) array, or nested arrays. */
  function part(array, indices) {
    let offset = 0, size = array.values.length;
    indices.forEach((index, axis) => { size /= array.shape[axis]; offset += index * size; });
    return nest(array.values, offset, array.shape.slice(indices.length));
  }

  function nest(values, offset, shape) {
    if (shape.length === 0) return values[offset];
    if (shape.length === 1) {
      return values.subarray ? values.subarray(offset, offset + shape[0]) : values.slice(offset, offset + shape[0]);
    }
    const stride = shape.slice(1).reduce((product, n) => product * n, 1);
    return Array.from({ length: shape[0] }, (_, i) => nest(values, offset + i * stride, shape.slice(1)));
  }

  Object.assign(rnnkit, { decode, part });
})();
