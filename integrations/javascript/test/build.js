// Builds certificates, tokens and attribute certificates for the tests.

import { constants, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const length = (n) => (n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255]);
export const tlv = (tag, ...parts) => {
  const content = Buffer.concat(parts.flat());
  return Buffer.concat([Buffer.from([tag, ...length(content.length)]), content]);
};
export const seq = (...parts) => tlv(0x30, ...parts);
export const set = (...parts) => tlv(0x31, ...parts);
export const oid = (text) => {
  const [a, b, ...rest] = text.split('.').map(BigInt);
  const octets = [];
  for (let arc of [a * 40n + b, ...rest]) {
    const group = [Number(arc & 127n)];
    while ((arc >>= 7n) > 0n) group.unshift(Number(arc & 127n) | 128);
    octets.push(...group);
  }
  return tlv(6, Buffer.from(octets));
};
export const int = (n) => {
  let hex = BigInt(n).toString(16);
  if (hex.length % 2) hex = `0${hex}`;
  const octets = Buffer.from(hex, 'hex');
  return tlv(2, octets[0] & 0x80 ? Buffer.concat([Buffer.from([0]), octets]) : octets);
};
export const utf8 = (text) => tlv(0x0c, Buffer.from(text));
export const ia5 = (text) => tlv(0x16, Buffer.from(text, 'latin1'));
export const octetString = (octets) => tlv(4, octets);
export const bits = (octets) => tlv(3, Buffer.from([0]), octets);
export const generalized = (seconds) => {
  const text = new Date(seconds * 1000).toISOString().replace(/\.000|[-:T]/g, '');
  return tlv(0x18, Buffer.from(text));
};
export const TRUE = Buffer.from('0101ff', 'hex');
export const NULL = Buffer.from('0500', 'hex');
export const extension = (id, value, critical = false) => seq(oid(id), ...(critical ? [TRUE] : []), octetString(value));
export const dns = (name) => tlv(0x82, Buffer.from(name));
export const altNames = (...names) => extension('2.5.29.17', seq(...names));
export const authority = (pathLen) => extension('2.5.29.19', seq(TRUE, ...(pathLen === undefined ? [] : [int(pathLen)])), true);
export const purposes = (...ids) => extension('2.5.29.37', seq(...ids.map(oid)));
export const constraints = ({ permitted = [], excluded = [] }, critical = true) => {
  const part = (n, list) => (list.length ? [tlv(0xa0 + n, ...list.map((name) => seq(name)))] : []);
  return extension('2.5.29.30', seq(...part(0, permitted), ...part(1, excluded)), critical);
};
const vector = (octets) => Buffer.concat([Buffer.from([octets.length >> 8, octets.length & 255]), octets]);
/** One SCT of RFC 6962 without the length before it; `left` is what is left over at its end. */
export const sct = (millis, { version = 0, left = [] } = {}) => {
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(millis));
  return Buffer.concat([Buffer.from([version]), Buffer.alloc(32, 7), timestamp, vector(Buffer.alloc(0)), Buffer.from([4, 3]), vector(Buffer.alloc(70, 9)), Buffer.from(left)]);
};
export const sctList = (...scts) => extension('1.3.6.1.4.1.11129.2.4.2', octetString(vector(Buffer.concat(scts.map(vector)))));
export const commonName = (text) => seq(...(text === '' ? [] : [set(seq(oid('2.5.4.3'), utf8(text)))]));

const kinds = {
  ES256: ['ec', { namedCurve: 'P-256' }, 'sha256', seq(oid('1.2.840.10045.4.3.2'))],
  ES384: ['ec', { namedCurve: 'P-384' }, 'sha384', seq(oid('1.2.840.10045.4.3.3'))],
  RS256: ['rsa', { modulusLength: 2048 }, 'sha256', seq(oid('1.2.840.113549.1.1.11'), NULL)],
  PS256: [
    'rsa', { modulusLength: 2048 }, 'sha256',
    (() => {
      const hash = seq(oid('2.16.840.1.101.3.4.2.1'), NULL);
      return seq(oid('1.2.840.113549.1.1.10'), seq(tlv(0xa0, hash), tlv(0xa1, seq(oid('1.2.840.113549.1.1.8'), hash)), tlv(0xa2, int(32))));
    })(),
  ],
  EdDSA: ['ed25519', undefined, null, seq(oid('1.3.101.112'))],
};

export function makeKey(alg = 'ES256') {
  const [type, options, hash, algorithm] = kinds[alg];
  const pair = generateKeyPairSync(type, options);
  const padding = alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  return {
    alg,
    algorithm,
    spki: pair.publicKey.export({ type: 'spki', format: 'der' }),
    privateKey: pair.privateKey,
    sign: (octets, dsaEncoding) => sign(hash, octets, { key: pair.privateKey, dsaEncoding, ...padding }),
  };
}

export const NOW = Date.UTC(2026, 6, 1, 12) / 1000;
export const DAY = 86400;

let serial = 1;
/** Issues a certificate. `issuer` is { name, key }, or nothing: signed by itself. */
export function issue({ name, key = makeKey(), issuer, from = NOW - 10 * DAY, to = NOW + 80 * DAY, extensions = [], version = 3 }) {
  const by = issuer ?? { name, key };
  const tbs = seq(
    ...(version === 1 ? [] : [tlv(0xa0, int(version - 1))]),
    int(serial++),
    by.key.algorithm,
    commonName(by.name),
    seq(generalized(from), generalized(to)),
    commonName(name),
    key.spki,
    ...(extensions.length ? [tlv(0xa3, seq(...extensions))] : []),
  );
  return { name, key, der: seq(tbs, by.key.algorithm, bits(by.key.sign(tbs))) };
}

/** A root, an intermediate and a signer for b.example. */
export function makeChain({ alg = 'ES256', intermediate = [], root = [], leaf = [], names = [], name = 'b.example' } = {}) {
  const top = issue({ name: 'Root', extensions: [authority(), ...root] });
  const middle = issue({ name: 'Intermediate', issuer: top, extensions: [authority(), ...intermediate] });
  const signer = issue({ name, key: makeKey(alg), issuer: middle, extensions: [altNames(...['b.example', ...names].map(dns)), ...leaf] });
  return { root: top, intermediate: middle, signer, chain: [signer.der, middle.der] };
}

export const target = { host: 'xmpp.hosting.example', port: 5269, priority: 10, weight: 5 };
export const usual = { source: 'b.example', service: '_xmpp-server._tcp', targets: [target], iat: NOW - 3600, exp: NOW + 12 * DAY };

export function makeToken({ signer, chain }, { source, service, targets, iat, exp } = usual) {
  const header = { alg: signer.key.alg, typ: 'dna+jwt', x5c: chain.map((octets) => octets.toString('base64')) };
  const jti = randomBytes(16);
  jti[0] = 1;
  const claims = { iss: source, service, targets, iat, exp, jti: jti.toString('base64url') };
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return Buffer.from(`${input}.${signer.key.sign(Buffer.from(input), 'ieee-p1363').toString('base64url')}`);
}

function encodeTarget({ host, port, priority, weight, tls, spki }) {
  const fields = [ia5(host), int(port), int(priority), int(weight)];
  if (spki) fields.push(tlv(0xa0, ...spki.map((pin) => octetString(Buffer.from(pin, 'base64url')))));
  if (tls) fields.push(Buffer.isBuffer(tls) ? tls : tlv(0x81));
  return fields;
}

/** An attribute certificate in its message; `change` replaces parts of it. */
export function makeMessage({ signer, chain }, { source, service, targets, iat, exp } = usual, change = {}) {
  const hosts = targets.length ? [...new Set(targets.map(({ host }) => host))] : [source];
  const delegation = seq(
    int(change.attributeVersion ?? 1),
    ia5(source),
    ia5(service),
    seq(...targets.map((one) => seq(...encodeTarget(one)))),
    octetString(createHash('sha256').update(signer.der).digest()),
  );
  const info = seq(
    int(change.version ?? 1),
    change.holder ?? seq(tlv(0xa1, ...hosts.map(dns))),
    change.issuer ?? tlv(0xa0, seq(tlv(0xa4, commonName(signer.name)))),
    signer.key.algorithm,
    change.serial ?? int(0x0102030405060708n),
    change.validity ?? seq(generalized(iat), generalized(exp - 1)),
    change.attributes ?? seq(seq(oid('2.25.123451849705716964283098282175778140751'), set(delegation))),
    ...(change.uniqueId ? [bits(Buffer.from([1]))] : []),
    ...(change.extensions ?? [seq(extension('2.5.29.56', NULL))]),
  );
  const certificate = seq(info, change.algorithm ?? signer.key.algorithm, bits(signer.key.sign(info)));
  certificate[0] = 0xa2;
  const members = change.members ? change.members(certificate, chain) : [...chain, certificate];
  return seq(
    oid('1.2.840.113549.1.7.2'),
    tlv(0xa0, seq(
      int(change.cmsVersion ?? 4),
      set(...(change.digests ?? [])),
      seq(oid('1.2.840.113549.1.7.1'), ...(change.content ?? [])),
      tlv(0xa0, ...members),
      ...(change.crls ?? []),
      set(...(change.signerInfos ?? [])),
    )),
  );
}

export function makeCase(pki, { body, file = true, more = {}, policy = {} } = {}) {
  return {
    operation: 'verify',
    query: { source: 'b.example', service: '_xmpp-server._tcp' },
    policy: { time: '2026-07-01T12:00:00Z', roots: [pki.root.der.toString('base64')], ...policy },
    evidence: {
      version: 2,
      source: 'b.example',
      service: '_xmpp-server._tcp',
      collected: '2026-07-01T12:00:00Z',
      documents: body && file ? [{ file: 'statement', body: body.toString('base64') }] : [],
      ...more,
    },
  };
}
