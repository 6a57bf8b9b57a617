import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  NetworkError,
  type PipelineError,
  RefusedError,
  ToolError,
  VerificationError,
} from '../../../src/base/errors.ts';
import { parseClangVersion } from '../../../src/toolchain/apple/clang.ts';
import { parseIdentities, parseSearchList } from '../../../src/toolchain/apple/keychain/keychain.ts';
import { lastJson, parseHistory, parseState, parseSubmission } from '../../../src/toolchain/apple/notarytool.ts';
import { parseSignature } from '../../../src/toolchain/apple/pkgutil.ts';
import { parseAssessment } from '../../../src/toolchain/apple/spctl.ts';
import { type AppleTool, namedFailure, toolError } from '../../../src/toolchain/apple/tool-error.ts';

/** What a tool printed somewhere, where that was seen, and what it means. */
interface Recording {
  readonly id: string;
  readonly source: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly expected: any;
}

const FOLDER = new URL('../../fixtures/apple-tools/', import.meta.url).pathname;
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const files = names.map((name) => ({
  name,
  ...(JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { tool: AppleTool; parser: string; cases: Recording[] }),
}));
const CLASSES = { tool: ToolError, refused: RefusedError, network: NetworkError, verification: VerificationError };

/** Returns what a parser makes of a recording; an error as its code. */
const PARSERS: Readonly<Record<string, (recording: Recording) => unknown>> = {
  submission: ({ stdout }) => ({ id: parseSubmission(stdout) }),
  verdict: ({ stdout }) => ({ status: parseState(stdout, 'an id').status }),
  history: ({ stdout }) => parseHistory(stdout),
  signature: ({ stdout }) => {
    const { status: _status, ...facts } = parseSignature(stdout);
    return facts;
  },
  assessment: ({ stdout, stderr }) => parseAssessment(`${stdout}\n${stderr}`),
  identities: ({ stdout }) => parseIdentities(stdout),
  keychains: ({ stdout }) => parseSearchList(stdout),
  clang: ({ stdout }) => parseClangVersion(stdout),
};

function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    return { code: (error as PipelineError).code };
  }
}

describe.each(files)('recorded in $name', ({ tool, parser, cases }) => {
  it.each(cases)('$id', (recording) => {
    expect(recording.source).toMatch(/^https:\/\//);
    if (parser !== 'failure') {
      expect(outcome(() => PARSERS[parser]?.(recording))).toEqual(recording.expected);
      return;
    }
    const error = toolError(tool, recording);
    expect(error.code).toBe(recording.expected.code);
    expect(error).toBeInstanceOf(CLASSES[recording.expected.kind as keyof typeof CLASSES]);
    expect(error.message).toContain((recording.stderr || recording.stdout).trim());
    expect(error.hint).toMatch(/\S/);
  });
});

const codeOf = (tool: AppleTool, output: string) => namedFailure(tool, output, output)?.code;

describe('the error of a tool', () => {
  it('says nothing of one tool by the output of another', () => {
    expect(codeOf('pkgbuild', 'X.bundle: errSecInternalComponent')).toBeUndefined();
  });

  it('finds the failures of xcrun under the name of the tool it starts', () => {
    const output = 'xcrun: error: unable to find utility "notarytool", not a developer tool or in PATH';
    expect(codeOf('notarytool', output)).toBe('XCODE_TOOL');
  });

  it('names the cause, not the last line that repeats there is one', () => {
    const lines = [
      'CloudKit query for out.pkg (2/de18) failed due to "Record not found".',
      'Could not find base64 encoded ticket in response for 2/de18',
      'The staple and validate action failed! Error 65.',
    ];
    expect(codeOf('stapler', lines.join('\n'))).toBe('TICKET_NOT_FOUND');
    const signing = [
      'SignData failed: CSSMERR_CSP_NO_USER_INTERACTION',
      'productsign: error: Failed to sign the product.',
    ];
    expect(codeOf('productsign', signing.join('\n'))).toBe('PRODUCTSIGN_KEY_ACCESS');
    const chain = [
      'Warning: unable to build chain to self-signed root for signer "X"',
      'X.bundle: errSecInternalComponent',
    ];
    expect(codeOf('codesign', chain.join('\n'))).toBe('CODESIGN_CHAIN');
  });

  it('takes output that nobody has seen for a failure, and shows them', () => {
    const error = toolError('codesign', { exitCode: 1, stdout: '', stderr: 'something new' });
    expect(error).toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining('something new') });
  });
});

describe('JSON behind other output', () => {
  it('is the last object that begins a line', () => {
    expect(lastJson('a {b}\n{"a":1}\n')).toEqual({ a: 1 });
    expect(lastJson('{\n  "a": { "b": 2 }\n}\n')).toEqual({ a: { b: 2 } });
    expect(lastJson('a word {"status":"Accepted"}\n')).toBeUndefined();
    expect(lastJson('nothing')).toBeUndefined();
    expect(lastJson('{"a":')).toBeUndefined();
  });
});
