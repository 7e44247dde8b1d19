// The strict JSON parser of [J7], over octets. Objects become Maps, so that no name is special.

const MAX_DEPTH = 4;
const MAX_MEMBERS = 16;
const MAX_ELEMENTS = 32;

/** The value in these octets. Throws an Error for everything that J7 does not permit. */
export function parseJson(octets) {
  let at = 0;

  const fail = (what) => {
    throw new Error(`${what} at octet ${at}`);
  };
  const peek = () => (at < octets.length ? String.fromCharCode(octets[at]) : '');
  const space = () => {
    while (at < octets.length && [0x20, 0x09, 0x0a, 0x0d].includes(octets[at])) at++;
  };
  const expect = (char) => {
    if (peek() !== char) fail(`no ${char}`);
    at++;
  };

  function string() {
    expect('"');
    const start = at;
    for (; peek() !== '"'; at++) {
      const octet = octets[at];
      if (octet === undefined) fail('a string without end');
      if (octet === 0x5c) fail('a backslash');
      if (octet < 0x20 || octet > 0x7e) fail('an octet outside 0x20 to 0x7E');
    }
    at++;
    return octets.toString('latin1', start, at - 1);
  }

  function number() {
    const start = at;
    while (/[0-9]/.test(peek())) at++;
    const digits = octets.toString('latin1', start, at);
    if (!/^(0|[1-9][0-9]{0,15})$/.test(digits)) fail('no plain number');
    if (/[.eE+-]/.test(peek())) fail('a fraction or an exponent');
    const value = Number(digits);
    if (value > Number.MAX_SAFE_INTEGER) fail('a number above 2^53-1'); // 16 digits at most, so none is rounded below it
    return value;
  }

  // The elements of an array or the members of an object, up to the closing character.
  function list(close, limit, depth, one) {
    if (depth > MAX_DEPTH) fail('nested too deep');
    at++;
    space();
    if (peek() === close) return at++;
    for (let count = 1; ; count++) {
      if (count > limit) fail('too many elements or members');
      one();
      space();
      if (peek() === close) return at++;
      expect(',');
      space();
    }
  }

  function value(depth) {
    switch (peek()) {
      case '"':
        return string();
      case '[': {
        const array = [];
        list(']', MAX_ELEMENTS, depth, () => array.push(value(depth + 1)));
        return array;
      }
      case '{': {
        const object = new Map();
        list('}', MAX_MEMBERS, depth, () => {
          const name = string();
          if (object.has(name)) fail('a name twice');
          space();
          expect(':');
          space();
          object.set(name, value(depth + 1));
        });
        return object;
      }
      default:
        if (!/[0-9]/.test(peek())) fail('no value');
        return number();
    }
  }

  space();
  const result = value(1);
  space();
  if (at !== octets.length) fail('more after the value');
  return result;
}

/** Is this an object with exactly these names, and perhaps those? */
export function hasMembers(object, names, optional = []) {
  return (
    object instanceof Map &&
    names.every((name) => object.has(name)) &&
    [...object.keys()].every((name) => names.includes(name) || optional.includes(name))
  );
}
