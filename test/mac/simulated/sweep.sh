#!/bin/sh
# Sweeps the fault injection of the simulated Mac.
#
# usage: sweep.sh [full | SEED]
# full: every external command of every act, under both shells (for `npm run nightly`). SEED: the points it chooses.
set -eu

cd "$(dirname -- "$0")/../../.."
case ${1:-} in
  full) SIMULATED_MAC_SWEEP=full TEST_SWEEP=whole && export TEST_SWEEP ;;
  '') SIMULATED_MAC_SWEEP=sample ;;
  *) SIMULATED_MAC_SWEEP=sample SIMULATED_MAC_SEED=$1 && export SIMULATED_MAC_SEED ;;
esac
export SIMULATED_MAC_SWEEP
exec npx vitest run test/mac/faults.test.ts
