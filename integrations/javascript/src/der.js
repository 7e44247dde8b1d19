// A strict reader of DER (X.690): definite and minimal lengths, nothing left over at any level [A1] [A3].
// It throws DerError; who calls it knows the reason to name.

export class DerError extends Error {}

const fail = (what) => {
  throw new DerError(what);
};

export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
};

/** The tags [n] of context: primitive, and constructed. */
export const context = (n) => 0x80 | n;
export const contextConstructed = (n) => 0xa0 | n;

/** Reads one element at an offset: `tag` (its identifier octet), `content`, `raw`. */
function elementAt(octets, start) {
  let at = start;
  const next = () => (at < octets.length ? octets[at++] : fail('an element that is cut'));
  const tag = next();
  if ((tag & 0x1f) === 0x1f) {
    // A tag number of 31 or more: nothing here has one, but a value that is ignored may.
    let octet = next();
    if (octet === 0x80) fail('a tag number with a leading zero');
    let number = octet & 0x7f;
    while (octet & 0x80) {
      octet = next();
      number = number * 128 + (octet & 0x7f);
      if (number > 0xffffffff) fail('a tag number that is too large');
    }
    if (number < 0x1f) fail('a tag number that is not in its short form');
  }
  let length = next();
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4) fail('an indefinite length, or one that is too large');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + next();
    if (length < 0x80 || length < 256 ** (count - 1)) fail('a length that is not minimal');
  }
  if (length > octets.length - at) fail('an element that is cut');
  return { tag, content: octets.subarray(at, at + length), raw: octets.subarray(start, at + length) };
}

/** All the elements that these octets consist of. */
export function elements(octets) {
  const list = [];
  for (let at = 0; at < octets.length; at += list.at(-1).raw.length) list.push(elementAt(octets, at));
  return list;
}

/** The one element that these octets are. */
export function element(octets) {
  const one = elementAt(octets, 0);
  if (one.raw.length !== octets.length) fail('octets after the element');
  return one;
}

const expectTag = (node, tag) => {
  if (node === undefined) fail('an element is missing');
  if (node.tag !== tag) fail(`tag ${node.tag} where ${tag} belongs`);
  return node;
};

/** The children of a SEQUENCE, or of what stands implicitly for one. */
export const sequence = (node, tag = TAG.SEQUENCE) => elements(expectTag(node, tag).content);

/** The children of a SET OF, in the order of DER. */
export function setOf(node, tag = TAG.SET) {
  const list = sequence(node, tag);
  for (let i = 1; i < list.length; i++) {
    if (Buffer.compare(list[i - 1].raw, list[i].raw) > 0) fail('a set that is not sorted');
  }
  return list;
}

/** What an explicit tag holds. */
export function explicit(node, n) {
  const list = sequence(node, contextConstructed(n));
  return list.length === 1 ? list[0] : fail('an explicit tag without exactly one element');
}

/** The content of an INTEGER (or of what stands for one), minimal. */
export function integerOctets(node, tag = TAG.INTEGER) {
  const { content } = expectTag(node, tag);
  if (content.length === 0) fail('an INTEGER without octets');
  if (content.length > 1 && ((content[0] === 0 && content[1] < 0x80) || (content[0] === 0xff && content[1] >= 0x80))) {
    fail('an INTEGER that is not minimal');
  }
  return content;
}

export const integer = (node) => {
  const content = integerOctets(node);
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));
};

/** A BIT STRING: its octets, and how many bits of the last are unused (and zero). */
export function bitString(node, tag = TAG.BIT_STRING) {
  const { content } = expectTag(node, tag);
  const unused = content[0];
  if (unused === undefined || unused > 7 || (unused > 0 && content.length === 1)) fail('a malformed BIT STRING');
  if (content.at(-1) & ((1 << unused) - 1) && content.length > 1) fail('unused bits that are not zero');
  return { unused, octets: content.subarray(1) };
}

export const octetString = (node, tag = TAG.OCTET_STRING) => expectTag(node, tag).content;

export function boolean(node) {
  const { content } = expectTag(node, TAG.BOOLEAN);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) fail('a malformed BOOLEAN');
  return content[0] === 0xff;
}

export function isNull(node) {
  return node.tag === TAG.NULL && node.content.length === 0;
}

/** An IA5String (or what stands for one): ASCII. */
export function ia5(node, tag = TAG.IA5_STRING) {
  const { content } = expectTag(node, tag);
  if (content.some((octet) => octet > 0x7f)) fail('a string outside ASCII');
  return content.toString('latin1');
}

/** An object identifier, in dots. At most 256 octets [A3]. */
export function oid(node, tag = TAG.OID) {
  const { content } = expectTag(node, tag);
  if (content.length === 0 || content.length > 256 || content.at(-1) & 0x80) fail('a malformed object identifier');
  const arcs = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) fail('an object identifier that is not minimal');
    arc = arc * 128n + BigInt(octet & 0x7f);
    fresh = (octet & 0x80) === 0;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const first = arcs[0] < 80n ? arcs[0] / 40n : 2n;
  return [first, arcs[0] - first * 40n, ...arcs.slice(1)].join('.');
}

const universal = new Map([
  [TAG.BOOLEAN, boolean],
  [TAG.INTEGER, integerOctets],
  [TAG.BIT_STRING, bitString],
  [TAG.OID, oid],
  [TAG.ENUMERATED, (node) => integerOctets(node, TAG.ENUMERATED)],
  [TAG.NULL, (node) => isNull(node) || fail('a malformed NULL')],
]);

const constructedTypes = new Set([0x08, 0x0b, 0x10, 0x11, 0x1d]); // EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, CHARACTER STRING

/** Checks a value of any type, all the way down: DER, and at most 16 levels [A3]. */
export function checkAny(node, levels = 16) {
  if (levels === 0) fail('nested too deep');
  const constructed = (node.tag & 0x20) !== 0;
  if ((node.tag & 0xc0) === 0) {
    const number = node.tag & 0x1f;
    if (number === 0) fail('an end of contents');
    if (number !== 0x1f && constructed !== constructedTypes.has(number)) fail('the wrong one of primitive and constructed');
    universal.get(node.tag)?.(node);
  }
  if (constructed) for (const child of elements(node.content)) checkAny(child, levels - 1);
}

/** AlgorithmIdentifier: the dotted identifier and the parameters, in DER (empty if absent). */
export function algorithmIdentifier(node) {
  const [id, parameters, ...rest] = sequence(node);
  if (rest.length > 0) fail('more than an algorithm and its parameters');
  if (parameters) checkAny(parameters);
  return { oid: oid(id), parameters: parameters ? parameters.raw : Buffer.alloc(0) };
}

/** Name (RFC 5280, Section 4.1.2.4), as a list of sets of { type, value }. */
export function name(node) {
  return sequence(node).map((rdn) => {
    const attributes = setOf(rdn);
    if (attributes.length === 0) fail('a relative name without attributes');
    return attributes.map((attribute) => {
      const [type, value, ...rest] = sequence(attribute);
      if (value === undefined || rest.length > 0) fail('an attribute that is not a type and a value');
      checkAny(value);
      return { type: oid(type), value };
    });
  });
}

/** What the numbers of GeneralName mean. */
export const GENERAL = { OTHER: 0, EMAIL: 1, DNS: 2, X400: 3, DIRECTORY: 4, EDI: 5, URI: 6, IP: 7, REGISTERED: 8 };

/** One GeneralName, its form checked: `kind`, and its `content`, `text` or directory `name`. */
export function generalName(node) {
  const kind = node.tag & 0x1f;
  const is = (constructed) => node.tag === (constructed ? contextConstructed(kind) : context(kind));
  switch (kind) {
    case GENERAL.EMAIL:
    case GENERAL.DNS:
    case GENERAL.URI:
      return { kind, text: ia5(node, context(kind)) };
    case GENERAL.IP:
      return { kind, content: octetString(node, context(kind)) };
    case GENERAL.REGISTERED:
      return { kind, text: oid(node, context(kind)) };
    case GENERAL.DIRECTORY: {
      const inner = explicit(node, kind);
      return { kind, name: name(inner), raw: inner.raw };
    }
    case GENERAL.OTHER: {
      const [type, value, ...rest] = sequence(node, contextConstructed(kind));
      if (rest.length > 0) fail('more than a type and a value');
      oid(type);
      checkAny(explicit(expectTag(value, contextConstructed(0)), 0));
      return { kind };
    }
    case GENERAL.EDI: {
      const parts = sequence(node, contextConstructed(kind));
      const party = parts.pop();
      checkAny(explicit(expectTag(party, contextConstructed(1)), 1));
      if (parts.length > 1) fail('more than two parts');
      for (const part of parts) checkAny(explicit(part, 0));
      return { kind };
    }
    case GENERAL.X400:
      if (!is(true)) fail('not an X.400 address');
      checkAny(node);
      return { kind };
    default:
      return fail('not a name');
  }
}

/** GeneralNames: 1 to 256 of them [A3]. */
export function generalNames(node, tag = TAG.SEQUENCE) {
  const list = sequence(node, tag);
  if (list.length === 0 || list.length > 256) fail('no names, or too many');
  return list.map(generalName);
}
