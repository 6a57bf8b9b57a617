import { describe, expect, it } from 'vitest';
import { parseClangVersion } from '../../../src/toolchain/apple/clang.ts';
import { parseIdentities, parseSearchList } from '../../../src/toolchain/apple/keychain/keychain.ts';
import { lastJson, parseHistory, parseState, parseSubmission } from '../../../src/toolchain/apple/notarytool.ts';
import { parseSignature } from '../../../src/toolchain/apple/pkgutil.ts';
import { parseAssessment } from '../../../src/toolchain/apple/spctl.ts';
import { namedFailure, toolError } from '../../../src/toolchain/apple/tool-error.ts';

const refused = expect.objectContaining({ name: 'ToolError', code: 'NOTARY_OUTPUT' });

describe('what notarytool prints', () => {
  it.each<[string, unknown]>([
    ['{}', {}],
    ['{"id":"1"}', { id: '1' }],
    ['words\n{"id":"1"}', { id: '1' }],
    ['words {not this}\n{"id":"1"}\nwords', { id: '1' }],
    ['{not this}\n{"id":"1"}', { id: '1' }],
    ['{"id":"1"}\n{', { id: '1' }],
    ['words{"id":"1"}', undefined],
    ['x{"id":"1"}', undefined],
    ['}{', undefined],
    ['}\n{', undefined],
    ['', undefined],
  ])('%j holds the object %j', (stdout, value) => expect(lastJson(stdout)).toEqual(value));

  it.each(['', '{"message":"a"}', '{"id":1}', '{"id":null}', 'id: 1'])('%j names no submission', (stdout) => {
    expect(() => parseSubmission(stdout)).toThrow(refused);
  });

  it('names a submission', () => expect(parseSubmission('Uploading\n{"id":"1","path":"a"}\n')).toBe('1'));

  it.each([
    ['{"status":"Accepted","name":"a.pkg","createdDate":"then","id":"other"}', ['Accepted', 'a.pkg', 'then']],
    ['{"status":"Invalid"}', ['Invalid', '', '']],
    ['{"status":"Invalid","name":7}', ['Invalid', '', '']],
    ['  id: 1\n  status: In Progress\n', ['In Progress', '', '']],
    ['status: In Progress\n  status: Accepted  \n', ['Accepted', '', '']],
    ['Current status: In Progress.....Current status: Accepted........', ['Accepted', '', '']],
    ['Current status: In Progress....\n  status: Invalid', ['Invalid', '', '']],
  ])('%j tells the state %j of the submission that was asked for', (stdout, [status, name, createdDate]) => {
    expect(parseState(stdout, 'ID')).toEqual({ id: 'ID', status, name, createdDate });
  });

  it.each(['', '{"name":"a"}', 'the status: unknown'])('%j tells no state', (stdout) => {
    expect(() => parseState(stdout, 'ID')).toThrow(refused);
  });

  it('lists submissions, the newest first, with what is there of each', () => {
    const [old, young] = [
      { id: '1', createdDate: '2025-01-01T00:00:00Z' },
      { id: '2', createdDate: '2026-01-01T00:00:00Z' },
    ];
    const [rest, state] = [
      { status: '', name: '' },
      { status: 'Accepted', name: 'a.pkg' },
    ];
    expect(parseHistory(JSON.stringify({ history: [old, { ...young, ...state }, null, 7] }))).toEqual([
      { ...young, ...state },
      { ...rest, ...old },
      { ...rest, id: '', createdDate: '' },
      { ...rest, id: '', createdDate: '' },
    ]);
    expect(parseHistory('{"history":[]}')).toEqual([]);
  });

  it.each(['', '{}', '{"history":{}}', '{"history":null}', '[]', 'null'])('%j is no list', (stdout) => {
    expect(() => parseHistory(stdout)).toThrow(refused);
  });
});

describe('what spctl prints', () => {
  it.each([
    [
      'a.pkg: accepted\nsource=Notarized Developer ID\norigin=Developer ID Installer: X',
      [true, 'Notarized Developer ID', 'Developer ID Installer: X'],
    ],
    ['a.pkg: accepted  \n', [true, null, null]],
    ['a.pkg: rejected\nsource=no usable signature\n', [false, 'no usable signature', null]],
    ['a.pkg: accepted\na.pkg: rejected\n', [false, null, null]],
    ['a.pkg: accepted?\n', [false, null, null]],
    ['accepted\n', [false, null, null]],
    ['a.pkg: accepted\nthe source=x', [true, null, null]],
    ['', [false, null, null]],
  ])('%j means %j', (output, [accepted, source, origin]) => {
    expect(parseAssessment(output)).toEqual({ accepted, source, origin });
  });
});

describe('what pkgutil prints', () => {
  const trusted = 'signed by a developer certificate issued by Apple for distribution';

  it('tells status, notarization, time and chain', () => {
    const lines = [
      'Package "a.pkg":',
      `   Status: ${trusted}`,
      '   Notarization: trusted by the Apple notary service',
      '   Signed with a trusted timestamp on: 2025-03-01 12:00:00 +0000',
      '   Certificate Chain:',
      '    1. Developer ID Installer: X (ABCDE12345)',
      '       Expires: 2027-02-01 22:12:15 +0000',
      '    2. Developer ID Certification Authority',
    ];
    expect(parseSignature(lines.join('\n'))).toEqual({
      status: trusted,
      trusted: true,
      notarized: true,
      timestamp: '2025-03-01 12:00:00 +0000',
      chain: ['Developer ID Installer: X (ABCDE12345)', 'Developer ID Certification Authority'],
    });
  });

  it.each([
    ['', 'unknown', false],
    ['Status: no signature', 'no signature', false],
    [`Status: ${trusted} (expired)`, `${trusted} (expired)`, false],
    [`Status: ${trusted}\nNotarization: none`, trusted, true],
  ])('%j has the status %j', (stdout, status, isTrusted) => {
    const facts = { timestamp: null, notarized: false, chain: [] };
    expect(parseSignature(stdout)).toEqual({ ...facts, status, trusted: isTrusted });
  });
});

describe('what security prints', () => {
  it('lists keychains one a line', () => {
    expect(parseSearchList('    "/a b/login.keychain-db"\n"/c"\n  not quoted\n')).toEqual([
      '/a b/login.keychain-db',
      '/c',
    ]);
  });

  it('lists identities, each once, and what is wrong with them', () => {
    const [one, two] = ['A'.repeat(40), '0123456789ABCDEF0123456789ABCDEF01234567'];
    const stdout = [
      `  1) ${one} "Developer ID Application: X (ABCDE12345)"`,
      `  2) ${two} "Y (z)" (CSSMERR_TP_CERT_EXPIRED)`,
      `  1) ${one} "another name"`,
      `  3) ${'a'.repeat(40)} "small letters"`,
      `  4) ${'A'.repeat(39)} "too short"`,
      '     2 valid identities found',
    ];
    expect(parseIdentities(stdout.join('\n'))).toEqual([
      { sha1: one, name: 'Developer ID Application: X (ABCDE12345)', problem: null },
      { sha1: two, name: 'Y (z)', problem: 'CSSMERR_TP_CERT_EXPIRED' },
    ]);
  });
});

describe('what clang prints', () => {
  it.each([
    ['Apple clang version 17.0.0 (clang-1700.0.13.5)\nTarget: arm64', '17.0.0'],
    ['Homebrew clang version 19.1', '19.1'],
    ['clang version x', 'unknown'],
    ['', 'unknown'],
  ])('%j has the version %s', (stdout, version) => expect(parseClangVersion(stdout)).toBe(version));
});

describe('the error of a tool', () => {
  it('shows both streams, or says that there was nothing', () => {
    const shown = toolError('lipo', { exitCode: 2, stdout: 'one\n', stderr: '\ntwo\n' });
    expect([shown.code, shown.message]).toEqual(['TOOL_FAILED', 'lipo ended with 2:\none\n\n\ntwo']);
    expect(toolError('lipo', { exitCode: 2, stdout: ' ', stderr: '\n' }).message).toBe(
      'lipo ended with 2 and said nothing',
    );
  });

  it('is none for words that stop nothing', () => {
    expect(namedFailure('lipo', '', 'm')).toBeUndefined();
    expect(namedFailure('codesign', 'A.bundle: replacing existing signature', 'm')).toBeUndefined();
  });
});
