/** Something of the set-up on GitHub that is there and is not as it must be. */
export class SetUpFault extends Error {}
