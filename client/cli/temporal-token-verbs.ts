import { Command, Option } from 'commander';
import { jsonOption, type CommandContext } from './command-context.ts';

export interface TemporalTokenFlags {
  for: string;
  claims: string;
  key: string;
  expires: string;
  json?: boolean;
}

export const temporalKeyCommand = (context: CommandContext): Command =>
  new Command('temporal-key')
    .description('Make the key that signs tokens for the Temporal server; prints its public half')
    .argument('<file>', 'file for the private half; whoever has it can be anyone there')
    .addHelpText(
      'after',
      '\nExample:\n  holdfast access temporal-key /etc/holdfast/temporal.jwk > temporal-jwks.json',
    )
    .action(async (file: string) => {
      const { createTemporalKey } = await import('./temporal-token.ts');
      await createTemporalKey(context, file);
    });

export const temporalTokenCommand = (context: CommandContext): Command =>
  new Command('temporal-token')
    .description('Make a token with the permissions that a user has in the Temporal server')
    .requiredOption('--for <name>', 'user or service account')
    .requiredOption('--claims <path>', 'claimsFile of a target in access.yaml')
    .requiredOption('--key <path>', 'file that temporal-key wrote')
    .addOption(
      new Option('--expires <duration>', 'how long the token is good, at most 1d').default('1h'),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  holdfast access temporal-token --for ana@example.com \\\n    --claims temporal-claims.json --key temporal.jwk > ana.token',
    )
    .action(async (flags: TemporalTokenFlags) => {
      const { createTemporalToken } = await import('./temporal-token.ts');
      await createTemporalToken(context, flags);
    });
