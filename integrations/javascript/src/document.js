// Documents (section 8): what of a body is the statement.

/** [H5]: one line end at the very end of a JWS is no part of it; of DER nothing is removed. */
export function statementOctets(body, encoding) {
  if (encoding !== 'jws' || body.at(-1) !== 0x0a) return body;
  return body.subarray(0, body.at(-2) === 0x0d ? -2 : -1);
}
