import tseslint from 'typescript-eslint';

// Who may import whom: doors → host → standards' folders → disk → runtime. ARCHITECTURE.md says why.
const folders = ['cli', 'inspector', 'host', 'coordinator', 'web-storage', 'file-system', 'web-locks', 'cache-storage', 'storage', 'indexed-db', 'disk', 'sync', 'webidl', 'runtime'];
const standards = ['web-storage', 'file-system', 'web-locks', 'cache-storage', 'storage', 'indexed-db'];
const mayImport = {
  cli: folders.filter((folder) => folder !== 'cli'),
  inspector: folders.filter((folder) => folder !== 'cli' && folder !== 'inspector'),
  host: folders.filter((folder) => folder !== 'cli' && folder !== 'inspector' && folder !== 'host'),
  ...Object.fromEntries(standards.map((folder) => [folder, ['disk', 'webidl', 'runtime']])),
  coordinator: ['disk', 'webidl', 'runtime'],
  disk: ['runtime'],
  sync: ['disk', 'runtime'],
  webidl: ['runtime'],
  runtime: [],
};

/** One step up from a folder within a folder does not leave that: `src/disk/coordinator` is not `src/coordinator`. */
const depths = [
  { files: '*.ts', up: '+' },
  { files: '*/**/*.ts', up: '{2,}' },
];

const directions = Object.entries(mayImport).flatMap(([folder, allowed]) => depths.map(({ files, up }) => ({
  files: [`src/${folder}/${files}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)${up}(${folders.filter((other) => other !== folder && !allowed.includes(other)).join('|') || 'none'})(/|$)`,
            message: `src/${folder} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')} only.`,
          },
          { regex: `^(\\.\\./)${up}(index|globals)(\\.ts)?$`, message: 'Nothing imports the doors.' },
          { regex: '^holdfast', message: 'The source does not import the built package.' },
        ],
      },
    ],
  },
})));

// Objects of other realms are of none of these classes: src/runtime/brands.ts says what to do instead.
const platformClasses = [
  ...Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z]/.test(name)),
  ...['Navigator', 'QuotaExceededError', 'CloseEvent', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'FileReader', 'Iterator', 'Float16Array'],
];

/** What runs in a browser. */
const page = ['src/inspector/page/**'];

const realms = {
  files: ['src/**/*.ts'],
  ignores: page,
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector: `BinaryExpression[operator='instanceof'][right.name=/^(${platformClasses.join('|')})$/]`,
        message: 'An object of another realm is no instance of this: ask src/runtime/brands.ts or errors.ts.',
      },
      {
        selector: "BinaryExpression[operator='instanceof'][right.type!='Identifier']",
        message: 'Only classes of our own, by their names.',
      },
      {
        selector: "NewExpression[callee.name='Date'][arguments.length=0]",
        message: 'A program under test fakes it: ask wallClock() of src/runtime/timers.ts.',
      },
    ],
    'no-restricted-globals': [
      'error',
      ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask', 'performance'].map((name) => ({
        name,
        message: 'A program under test fakes it: take it from src/runtime/timers.ts.',
      })),
      ...['crypto', 'fetch', 'structuredClone', 'TextDecoder', 'TextEncoder', 'Blob', 'File', 'ReadableStream', 'WritableStream', 'MessageChannel'].map((name) => ({
        name,
        message: "Not every test environment has the runtime's own: take it from a module of node: (random numbers from src/runtime/random.ts).",
      })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'A program under test fakes it: ask wallClock() of src/runtime/timers.ts.' },
      { object: 'process', property: 'nextTick', message: 'A program under test fakes it.' },
      ...['defineProperty', 'defineProperties', 'getOwnPropertyDescriptor', 'getOwnPropertyDescriptors'].flatMap((property) =>
        ['Object', 'Reflect'].map((object) => ({
          object,
          property,
          message: "Descriptors inherit what a program has put on Object.prototype: src/runtime/define.ts has what doesn't.",
        })),
      ),
    ],
  },
};

const outside = {
  files: ['wpt/**/*.ts', 'examples/**/*.mjs', 'bench/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: [{ regex: '^(\\.\\./)+src/', message: 'Import the built package, as a user would.' }] },
    ],
  },
};

export default tseslint.config(
  { ignores: ['dist/', '.dist-*/', 'node_modules/', '.cache/', 'wpt/checkout/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  { rules: { eqeqeq: 'error', 'prefer-const': 'error', 'no-var': 'error', complexity: ['error', 20] } },
  ...directions,
  realms,
  outside,
);
