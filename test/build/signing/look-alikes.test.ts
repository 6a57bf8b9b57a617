import { describe, expect, it } from 'vitest';
import { describeLookAlikes, IDENTITY_NAMES, lookAlikes, missingNames } from '../../../build/signing/credentials.ts';

/** The name that one variable is taken for, where no other is set. */
const meant = (found: string) => lookAlikes({ [found]: 'x' })[0]?.meant;

describe('a slip in the name of a variable', () => {
  // Of NOTARY_KEY; underscores and capitals count for nothing.
  it.each([
    ['a letter more, at either end and inside', ['XNOTARY_KEY', 'NOTARY_KEYX', 'NOTXARY_KEY']],
    ['two letters more', ['XXNOTARY_KEY', 'NOTARY_KEYXX', 'XNOTARY_KEYX']],
    ['a letter less', ['OTARY_KEY', 'NOTARY_KE', 'NOTRY_KEY']],
    ['two letters less', ['TARY_KEY', 'NOTARY_K', 'OTARY_KE']],
    ['other letters', ['XOTARY_KEY', 'NOTARY_KEX', 'XOTARY_KEX']],
    ['letters exchanged with their neighbour', ['ONTARY_KEY', 'NOTARY_KYE', 'ONTARY_KYE']],
    ['one letter more and one less', ['XNOTARY_KE', 'NTARY_KEYX']],
    ['exchanged, and a letter more or less', ['ONTARY_KEYX', 'ONTARY_KE']],
    ['underscores and capitals', ['notary-key', 'N_O_T_A_R_Y_K_E_Y', '__NotaryKey__']],
  ])('is seen: %s', (_, names) => {
    for (const name of names) expect(meant(name), name).toBe('NOTARY_KEY');
  });

  it.each([
    ['three letters more', ['XXXNOTARY_KEY', 'NOTARY_KEYXXX', 'XNOTXARY_KEYX']],
    ['three letters less', ['ARY_KEY', 'NOTARY']],
    ['three other letters', ['XXXARY_KEY', 'NOTARYXXX', 'XOTXRY_KEX']],
    ['letters exchanged three times', ['ONATYR_KEY']],
    ['two more and another letter', ['XXNOTARY_KEX']],
    ['exchanged over a third letter, and one more', ['TONARY_KEYX']],
  ])('is not seen where too much is another: %s', (_, names) => {
    for (const name of names) expect(meant(name), name).toBeUndefined();
  });

  it('is taken for the nearest of the names that are not set themselves', () => {
    expect(meant('NOTARY_KEY_IDX')).toBe('NOTARY_KEY_ID');
    expect(meant('NOTARY_KEYI')).toBe('NOTARY_KEY');
    expect(lookAlikes({ NOTARY_KEYI: 'x', NOTARY_KEY: 'x' })).toEqual([
      { found: 'NOTARY_KEYI', meant: 'NOTARY_KEY_ID' },
    ]);
    expect(lookAlikes({ NOTARY_KEYI: 'x', NOTARY_KEY: 'x', NOTARY_KEY_ID: 'x' })).toEqual([]);
  });

  it('is told of each variable, in the order of the environment', () => {
    expect(describeLookAlikes({ NOTARY_KEYID: 'x', PATH: 'x', INSTALER_KEY_PEM: 'x' })).toBe(
      '\n  NOTARY_KEYID is set: did you mean NOTARY_KEY_ID?\n  INSTALER_KEY_PEM is set: did you mean INSTALLER_KEY_PEM?',
    );
    expect(describeLookAlikes({})).toBe('');
  });
});

describe('missingNames', () => {
  it('leaves out what is set, or given as the path of a file; empty is missing', () => {
    const names = ['A', 'B', 'C', 'D'];
    expect(missingNames(names, { A: 'x', B_FILE: 'x', C: '', D_FILE: '' })).toEqual(['C', 'D']);
    expect(missingNames(IDENTITY_NAMES.installer[0], {})).toEqual(['INSTALLER_P12_BASE64', 'INSTALLER_P12_PASSWORD']);
  });
});
