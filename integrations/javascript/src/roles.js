// The table of roles (section 1): one statement, one order and one floor for each.

export const STARTTLS = 'starttls';
export const DIRECT = 'direct';
const UNKNOWN = ''; // not dialled, unless a target says `direct`

const table = [
  { service: '_xmpp-server._tcp', second: '_xmpps-server._tcp', defaultPort: 5269, sendsToo: true },
  { service: '_xmpp-client._tcp', second: '_xmpps-client._tcp', defaultPort: 5222 },
  { service: '_imap._tcp', second: '_imaps._tcp' },
  { service: '_pop3._tcp', second: '_pop3s._tcp' },
  { service: '_submission._tcp', second: '_submissions._tcp' },
  { service: '_ldap._tcp', second: '_ldaps._tcp' },
];

/** The role of an SRV label. A label that is not in the table is a role of its own, whose beginning nobody knows. */
export function roleOf(label) {
  const row = table.find(({ service, second }) => label === service || label === second);
  return row ? { ...row, labels: [row.service, row.second], start: STARTTLS } : { service: label, labels: [label], start: UNKNOWN };
}

/** How a connection begins that only an SRV record leads to [C8b]. */
export const startOfRecord = (role, { label }) => (label === role.second ? DIRECT : role.start);

/** How a connection to a target of a statement begins [C8c]; nothing over UDP is dialled [C8d]. */
export const startOfTarget = (role, { direct }) => (direct && role.service.endsWith('._tcp') ? DIRECT : role.start);
