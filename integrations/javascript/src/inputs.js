// What a verifier is given: query, policy and evidence, and what is wrong with them [V1].

import { fromBase64 } from './base64.js';
import { readCertificate } from './certificate.js';
import { isName, isOwnerName, isPort, isService, ownerName, signerName } from './names.js';
import { Refusal, isLookupFailure } from './reasons.js';
import { POSH_MEDIA_TYPE, isPoshUrl, poshUrl } from './posh.js';
import { roleOf } from './roles.js';
import { parseMillis, parseTime } from './time.js';

const DAY = 24 * 60 * 60;
const MAX_LIFE = 90 * DAY;
const DEFAULT_LIFE = 31 * DAY;
const MAX_DOCUMENTS = 8; // files included

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isMissing = (value) => value === undefined || value === null || value === '';

const missing = (condition, what) => {
  if (!condition) throw new Refusal('missing-input', what);
};
const query = (condition, what) => {
  if (!condition) throw new Refusal('bad-query', what);
};
const evidence = (condition, what) => {
  if (!condition) throw new Refusal('bad-evidence', what);
};

/**
 * Reads the three together, in the order of V1. `question` has `source` and `service`, and perhaps `target`. Gives
 * { source, role, target, policy, evidence }.
 */
export function readInputs(question, policyInput, evidenceInput) {
  missing(isObject(question) && !isMissing(question.source) && !isMissing(question.service), 'question');
  const { source, service, target } = question;
  query(isName(source), 'source');
  query(isService(service), 'service');
  const role = roleOf(service); // [N4b]
  query(isOwnerName(role.service, source), 'the owner name'); // [N5]
  if (target !== undefined && target !== null) {
    query(isObject(target) && isName(target.host) && isPort(target.port), 'target');
  }

  const policy = readPolicy(policyInput);
  missing(!isMissing(evidenceInput), 'evidence');
  return { source, role, target: target ?? null, policy, evidence: readEvidence(evidenceInput, source, role, policy) };
}

/** A set of trust anchors, as certificates in base64. One that cannot be read is none. */
export function readRoots(roots) {
  missing(Array.isArray(roots), 'trust anchors');
  return roots.flatMap((root) => {
    try {
      return [readCertificate(fromBase64(root))];
    } catch {
      return [];
    }
  });
}

export function readTime(time) {
  const seconds = parseTime(time);
  missing(seconds !== null, 'time');
  return seconds;
}

function readPolicy(policy) {
  missing(isObject(policy), 'policy');
  const life = policy.max_life ?? 0;
  const read = { roots: readRoots(policy.roots), time: readTime(policy.time) };
  missing(Number.isInteger(life) && life >= 0 && life <= MAX_LIFE, 'longest life');
  return {
    ...read,
    maxLife: life === 0 ? DEFAULT_LIFE : life, // [V1]
    floor: readFloor(policy.floor),
    refuses: policy.signer_check === 'refuse', // [W8]
    believesDnssec: policy.believe_replayed_dnssec === true, // [D2]
  };
}

/** What is remembered for the source and the role, or null. */
export function readFloor(floor) {
  if (floor === undefined || floor === null) return null;
  const read = {
    issuance: parseMillis(floor.order?.issuance),
    issued: parseTime(floor.order?.issued),
    targets: floor.targets,
    validUntil: parseTime(floor.valid_until),
    signerUntil: parseTime(floor.signer_until),
  };
  missing(Object.values(read).every((value) => value !== null) && typeof read.targets === 'string', 'a floor');
  return read;
}

const is16Bits = (number) => Number.isInteger(number) && number >= 0 && number <= 65535;
const states = ['secure', 'insecure', 'bogus', 'indeterminate']; // [D1]

// 13.3. "Other members are not legal."
function members(object, names) {
  evidence(isObject(object), 'not an object');
  for (const name of Object.keys(object)) evidence(names.includes(name), `member ${name}`);
}

const isOptionalText = (value) => value === undefined || typeof value === 'string';

function readFailure(failure) {
  members(failure, ['reason', 'detail']);
  evidence(isLookupFailure(failure.reason), 'the reason of a failure');
  evidence(isOptionalText(failure.detail), 'the detail of a failure');
  return failure.reason;
}

function readEvidence(input, source, role, policy) {
  members(input, ['version', 'source', 'service', 'collected', 'srv', 'txt', 'documents', 'signers', 'posh', 'streams']);
  evidence(input.version === 2, 'version');
  evidence(input.source === source && input.service === role.service, 'another question');
  const collected = parseTime(input.collected);
  evidence(collected !== null, 'collected');
  const list = (name, most) => {
    const value = input[name] ?? [];
    evidence(Array.isArray(value) && value.length <= most, name);
    return value;
  };
  const [srv, txt, documents] = [list('srv', 2), list('txt', 1), list('documents', MAX_DOCUMENTS)];
  const streams = list('streams', 1); // [X1]
  const signers = list('signers', 1);
  const posh = list('posh', 2);
  missing(txt.length + documents.length > 0, 'neither a TXT answer nor a document');

  const srvPlaces = new Map(role.labels.map((label) => [`${label}.${source}`, label]));
  const txtPlaces = new Map([[ownerName(role.service, source), role.service]]);
  const read = {
    collected,
    srv: srv.map((answer) => readAnswer(answer, srvPlaces, policy, readSrvRecord)),
    txt: txt.map((answer) => readAnswer(answer, txtPlaces, policy, readTxtRecord)),
    documents: documents.map((document) => readDocument(document, role.service, source)),
    posh: posh.map((document, i) => readPoshDocument(document, i, role.service, source)),
    streams: streams.map(readStream),
    signers: signers.map((answer) => readSigners(answer, signerName(role.service, source), policy)),
  };
  for (const answers of [read.srv, read.documents]) {
    const places = answers.map(({ place }) => place).filter((place) => place !== null); // a file is no place
    evidence(new Set(places).size === places.length, 'a place twice');
  }
  return read;
}

// { place, label, state, ttl, failure, records }; `failure` is a reason or null.
function readAnswer(answer, places, policy, readRecord, more = []) {
  members(answer, ['name', 'resolver', 'dnssec', 'ttl', 'failure', 'records', ...more]);
  evidence(places.has(answer.name), 'another place');
  evidence(isOptionalText(answer.resolver), 'resolver');
  evidence(states.includes(answer.dnssec), 'DNSSEC state');
  evidence(Number.isInteger(answer.ttl) && answer.ttl >= 0, 'ttl');
  const read = { place: answer.name, label: places.get(answer.name), ttl: answer.ttl, failure: null, records: [] };
  // All evidence here is read back from a file: nothing is secure unless the policy says so [D2].
  read.state = answer.dnssec === 'secure' && !policy.believesDnssec ? 'insecure' : answer.dnssec;
  evidence(answer.failure !== undefined || answer.records !== undefined, 'neither failure nor records');
  if (answer.records !== undefined) {
    evidence(Array.isArray(answer.records), 'records');
    read.records = answer.records.map(readRecord);
  }
  if (answer.failure !== undefined) read.failure = readFailure(answer.failure); // of an answer with both, it counts
  else if (answer.dnssec === 'bogus') read.failure = 'dns-bogus'; // its data is used for nothing
  return read;
}

function readSrvRecord(record) {
  members(record, ['priority', 'weight', 'port', 'target']);
  evidence(is16Bits(record.priority) && is16Bits(record.weight) && is16Bits(record.port), 'a number of an SRV record');
  evidence(typeof record.target === 'string', 'the target of an SRV record');
  return record;
}

function readTxtRecord(record) {
  evidence(typeof record === 'string', 'a TXT record');
  return record;
}

// The answer about signers [K1]: as readAnswer gives it, and { alias, wildcard }.
function readSigners(answer, name, policy) {
  const read = readAnswer(answer, new Map(name === null ? [] : [[name, name]]), policy, readTlsaRecord, ['alias', 'wildcard']);
  const { alias = false, wildcard = false } = answer;
  evidence(typeof alias === 'boolean' && typeof wildcard === 'boolean', 'alias or wildcard');
  return { ...read, alias, wildcard };
}

function readTlsaRecord(record) {
  members(record, ['usage', 'selector', 'matching', 'data']);
  const { usage, selector, matching } = record;
  evidence([usage, selector, matching].every((number) => is16Bits(number) && number <= 255), 'a number of a TLSA record');
  const data = fromBase64(record.data);
  evidence(data !== null, 'the data of a TLSA record');
  return { usage, selector, matching, data };
}

const documentKinds = [
  { suffix: '.jws', encoding: 'jws', mediaType: 'application/dna+jwt' },
  { suffix: '.p7c', encoding: 'ac', mediaType: 'application/pkcs7-mime' },
];

function readBody({ body }) {
  const octets = body === undefined ? Buffer.alloc(0) : fromBase64(body);
  evidence(octets !== null, 'body');
  return octets;
}

// { place, encoding, failure, found, answered, body, maxAge }: see readServed.
function readDocument(document, role, source) {
  evidence(isObject(document), 'a document');
  if (document.file !== undefined) {
    members(document, ['file', 'body']);
    evidence(typeof document.file === 'string', 'file');
    const body = readBody(document);
    const encoding = body[0] === 0x30 ? 'ac' : 'jws';
    return { place: null, encoding, failure: null, found: true, body, maxAge: null };
  }

  const kind = documentKinds.find(({ suffix }) => document.url === `https://${source}/.well-known/dna/${role}${suffix}`);
  evidence(kind, 'another place');
  return { place: document.url, encoding: kind.encoding, ...readServed(document, kind.mediaType) };
}

// What a web server served: `found` if it is what was asked for, good or bad (section 8); `answered` if it is known whether it is there.
function readServed(document, wanted) {
  const body = readBody(document);
  const read = { failure: null, found: false, answered: false, body, maxAge: null };
  if (document.failure !== undefined) {
    members(document, ['url', 'failure', 'no_server']);
    read.failure = readFailure(document.failure);
    read.answered = document.no_server === true && read.failure === 'https-failure'; // [X2b]
    evidence(document.no_server === undefined || read.answered, 'no_server');
  } else if (document.no_address !== undefined) {
    members(document, ['url', 'no_address']);
    evidence(document.no_address === true, 'no_address');
  } else {
    members(document, ['url', 'status', 'media_type', 'max_age', 'body']);
    const { status, media_type: mediaType = '', max_age: maxAge = -1 } = document;
    evidence(Number.isInteger(status) && typeof mediaType === 'string', 'status or media type');
    evidence(Number.isInteger(maxAge) && maxAge >= -1, 'max_age');
    // [H3] [H4]
    if (status === 200) {
      read.found = mediaType === wanted;
      if (read.found && body.length > 65536) read.failure = 'document-too-large';
      if (maxAge >= 0) read.maxAge = maxAge;
    } else if (status !== 404 && status !== 410) {
      read.failure = 'https-failure';
    }
  }
  read.answered ||= read.failure === null;
  return read;
}

function readPoshDocument(document, i, role, source) {
  evidence(isObject(document), 'a POSH file');
  evidence(i > 0 ? isPoshUrl(document.url) : document.url === poshUrl(role, source), 'another place');
  return { url: document.url, ...readServed(document, POSH_MEDIA_TYPE) };
}

function readStream(statement) {
  members(statement, ['encoding', 'body']);
  const { encoding = '', body = '' } = statement;
  const octets = fromBase64(body);
  evidence(typeof encoding === 'string' && octets !== null, 'a statement from a stream');
  return { encoding, octets };
}
