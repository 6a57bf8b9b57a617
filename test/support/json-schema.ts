import * as z from 'zod';

/** Returns the JSON Schema (draft 2020-12) of what a reader may write (`input`) or finds written (`output`), as docs/schemas/ has it. */
export function jsonSchemaText(schema: z.ZodType, io: 'input' | 'output'): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { io }), null, 2)}\n`;
}
