import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SMOKE_IMAGES } from '../../build/github/release/verdicts.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { CASES_OF_MACS, told } from './cases.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders, WITHOUT_ROSETTA } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** A stapled release that is looked at and tried on Macs. How it got there: story-of-notary; what comes of it: story-of-publishing. */
describe.skipIf(replayNeeds.missing)(`a release that is tried on Macs${replayNeeds.note}${ofTheDay}`, () => {
  const played: string[] = [];
  let replay: Replay;
  let run: Run;
  // Of each kind that is not the first image's one a day: it is red, and then it is not.
  const [ofToday] = byDay(['macos-26-intel', 'xcode-27'], 1);
  let red = ofToday;

  beforeAll(async () => {
    replay = await makeReplay(scratch(), {
      short: true,
      quick: true,
      anew: /release.yml\/(look|smoke)$/,
      onMac: (image) => ({ SMOKE_FAULT: image === red ? 'dyld-arm64' : '' }),
    });
    run = await replay.start('release.yml');
  });

  it('smoke red on one image: nothing is attested, nothing published', () => {
    played.push('smoke red on one image');
    expect(resultsOf(run.jobs), logOf(run.jobs)).toMatchObject(told('smoke red on one image'));
    expect(run.jobs.smoke!.log).toContain('dyld would refuse the slice for arm64');
    expect(run.jobs.look!.log).toContain('every signature is in the 4 packages');
    expect(replay.github().releases).toEqual([]);
  });

  it('tries only the red one again, with its own Xcode, and knows then what each Mac found', async () => {
    red = undefined;
    replay.runner.cancelAt = 'release.yml/attest';
    const before = replay.runner.executed.length;
    run = await replay.runner.rerun(run);
    expect(resultsOf(run.jobs), logOf(run.jobs)).toMatchObject({ smoke: 'success', attest: 'cancelled' });
    const tried = replay.runner.executed.slice(before).filter(({ env }) => env.IMAGE);
    const xcode = ofToday === 'xcode-27' ? '27.0' : '26.6';
    const place = `/Applications/Xcode_${xcode}.app/Contents/Developer`;
    expect(tried.map(({ env }) => [env.IMAGE, env.DEVELOPER_DIR])).toEqual([[ofToday, place]]);
    const verdicts = SMOKE_IMAGES.map((image) => JSON.parse(run.jobs.smoke!.outputs[image] as string));
    expect(verdicts.map(({ image }) => image)).toEqual([...SMOKE_IMAGES]);
    const last = ofToday === 'xcode-27' || ofTheDay === '' ? [WITHOUT_ROSETTA] : [];
    expect(verdicts.at(-1).skipped).toEqual(last);
  });

  afterAll(() => {
    if (played.length > 0) expect(played).toEqual(CASES_OF_MACS);
  });
});
