import { afterAll, expect } from 'vitest';

const surroundings = () => ({ PATH: process.env.PATH, DEVELOPER_DIR: process.env.DEVELOPER_DIR, cwd: process.cwd() });

// The files after this one have the same process: what it put on PATH they would run.
const found = surroundings();
afterAll(() => expect(surroundings(), 'what this file of tests leaves behind').toEqual(found));
