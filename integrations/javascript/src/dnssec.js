// The DNSSEC state of an answer [D1], and the test of a resolver that is said to validate.

import { answer } from './reasons.js';

const isAnswer = (rcode) => rcode === 'NOERROR' || rcode === 'NXDOMAIN';
const saysBogus = (code) => code >= 6 && code <= 12; // RFC 8914

export function dnssecState({ validating, replies = [] }) {
  const isReply = (reply) => typeof reply?.rcode === 'string' && Array.isArray(reply.ede ?? []);
  if (!Array.isArray(replies) || !replies.every(isReply)) return { skipped: 'no replies' };
  const failed = replies.find(({ rcode }) => !isAnswer(rcode));
  if (failed || replies.length === 0) {
    // With CD=1 the resolver does not validate: if that succeeds, validation is what failed.
    const isBogus =
      validating === true && failed?.rcode === 'SERVFAIL' && ((failed.ede ?? []).some(saysBogus) || isAnswer(failed.cd_rcode));
    return answer(isBogus ? 'dns-bogus' : 'dns-failure', { state: isBogus ? 'bogus' : 'indeterminate' });
  }
  const isSecure = validating === true && replies.every(({ ad }) => ad === true);
  return answer('verified', { state: isSecure ? 'secure' : 'insecure' });
}

export const selfTest = ({ good, bogus }) => answer(good === 'secure' && bogus === 'bogus' ? 'verified' : 'self-test-failed');
