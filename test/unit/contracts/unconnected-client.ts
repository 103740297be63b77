import { Client, Connection } from '@temporalio/client';

/** A client that has an address and never asks it anything. */
export const openTestClient = async (): Promise<AsyncDisposable & { temporal: Client }> => {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  return {
    temporal: new Client({ connection }),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
};
