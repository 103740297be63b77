import { Command, Option } from 'commander';
import { jsonOption, type CommandContext } from './command-context.ts';

export interface KeysFlags {
  ring?: string;
  json?: boolean;
}

export interface TokenFlags extends KeysFlags {
  for?: string;
  expires?: string;
  withdraw?: string;
  tokens?: string;
}

export interface BlobKeysFlags {
  keys?: string;
  rotate?: boolean;
  json?: boolean;
}

const ringOption = (): Option =>
  new Option('--ring <path>', 'file of the key ring').env('HOLDFAST_KEY_RING');

const tokensOption = (): Option =>
  new Option('--tokens <path>', 'file of the tokens; beside the key ring unless given').env(
    'HOLDFAST_CODEC_TOKENS',
  );

export const keysVerb = (context: CommandContext): Command =>
  new Command('keys')
    .description('Keys that seal what Temporal stores, and tokens to read it')
    .enablePositionalOptions()
    .helpCommand(false)
    .addCommand(createCommand(context))
    .addCommand(rotateCommand(context))
    .addCommand(revokeCommand(context))
    .addCommand(listCommand(context))
    .addCommand(tokenCommand(context))
    .addCommand(blobsCommand(context));

const createCommand = (context: CommandContext): Command =>
  new Command('create')
    .description('Make a key ring with one key')
    .addOption(ringOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  holdfast keys create --ring ~/.config/holdfast/keys.json')
    .action(async (flags: KeysFlags) => {
      const { createKeys } = await import('./keys.ts');
      await createKeys(context, flags);
    });

const rotateCommand = (context: CommandContext): Command =>
  new Command('rotate')
    .description('Write with a new key from now on; the keys before stay for reading')
    .addOption(ringOption())
    .addOption(jsonOption())
    .action(async (flags: KeysFlags) => {
      const { rotateKeys } = await import('./keys.ts');
      await rotateKeys(context, flags);
    });

const revokeCommand = (context: CommandContext): Command =>
  new Command('revoke')
    .description('Refuse what one key has sealed, because others have that key')
    .argument('<key>', 'id of the key')
    .addOption(ringOption())
    .addOption(jsonOption())
    .action(async (key: string, flags: KeysFlags) => {
      const { revokeKey } = await import('./keys.ts');
      await revokeKey(context, key, flags);
    });

const listCommand = (context: CommandContext): Command =>
  new Command('list')
    .description('Show the keys and tokens, without what is secret of them')
    .addOption(ringOption())
    .addOption(tokensOption())
    .addOption(jsonOption())
    .action(async (flags: TokenFlags) => {
      const { showKeys } = await import('./keys.ts');
      await showKeys(context, flags);
    });

const tokenCommand = (context: CommandContext): Command =>
  new Command('token')
    .description('Make a token for the codec endpoint, shown once; or withdraw one')
    .addOption(new Option('--for <name>', 'who it is for').conflicts('withdraw'))
    .addOption(new Option('--expires <duration>', 'how long it is valid').default('30d'))
    .option('--withdraw <id>', 'make this token void at once')
    .addOption(ringOption())
    .addOption(tokensOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  holdfast keys token --for ana@example.com --expires 7d')
    .action(async (flags: TokenFlags) => {
      const { changeTokens } = await import('./keys.ts');
      await changeTokens(context, flags);
    });

const blobsCommand = (context: CommandContext): Command =>
  new Command('blobs')
    .description('Show the key that wraps the keys of blobs; or wrap with a new one from now on')
    .addOption(
      new Option('--keys <place>', 'key ring, or vault://KEY?endpoint=…').env('HOLDFAST_BLOB_KEYS'),
    )
    .option('--rotate', 'make a new key; the ones before stay for reading')
    .addOption(jsonOption())
    .action(async (flags: BlobKeysFlags) => {
      const { showBlobKeys } = await import('./blob-keys.ts');
      await showBlobKeys(context, flags);
    });
