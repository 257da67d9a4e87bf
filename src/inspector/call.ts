import type { Arguments } from './arguments.ts';
import type { Context } from './context.ts';

/** Something that the page asks for by a POST, answered with JSON. */
export interface Call {
  /** Whether it changes anything: then it is refused where nothing may. */
  readonly changes?: true;
  run(context: Context, args: Arguments): unknown;
}

/** Something that a link or a picture asks for by a GET; the request says what of it. */
export interface Content {
  run(context: Context, args: Arguments, request: Request): Promise<Response>;
}
