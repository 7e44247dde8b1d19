// Canonical base64 and base64url [S6]: exactly the alphabet, no white space, unused bits of the last character zero.
// Node's decoder takes nearly anything, so what it gives is encoded again and compared.

/** base64url without padding, or null. */
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const octets = Buffer.from(text, 'base64url');
  return octets.toString('base64url') === text ? octets : null;
}

/** base64 with padding (RFC 4648, Section 4), or null. */
export function fromBase64(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const octets = Buffer.from(text, 'base64');
  return octets.toString('base64') === text ? octets : null;
}
