// node wpt/wpt.mjs <command> [arguments]: what `npm run wpt:*` starts. The commands are in cli.ts.
import { bundle } from './bundle.mjs';

const { main } = await import(await bundle());
process.exitCode = await main(process.argv.slice(2));
