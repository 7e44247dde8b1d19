// What all places together say [X2].

import { isOfVersion1 } from './txt.js';

/** Whether TXT and both documents were answered, and there is nothing in them or in a file, good or bad. */
export function isUnpublished({ txt, documents }) {
  if (txt.length === 0 || txt[0].failure || txt[0].records.some(isOfVersion1)) return false;
  if (documents.some(({ found }) => found)) return false;
  return documents.filter(({ answered }) => answered).length === 2;
}
