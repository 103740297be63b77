import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  claimLock,
  claimToEndRetention,
  longestQueue,
  settleRequest,
  withoutClaim,
} from '../../../domain/delivery/service-lock.ts';
import type { LockState, QueuePolicy } from '../../../domain/delivery/service-lock.ts';

interface Claim {
  requestId: string;
  queue?: QueuePolicy;
}

const claim = (requestId: string, queue?: QueuePolicy): Claim =>
  queue === undefined ? { requestId } : { requestId, queue };

/** The state after these claims, of which the first one holds the lock. */
const joined = (...[holder, ...waiting]: Claim[]): LockState<Claim, Claim> => {
  const held = { queue: [], settledRequestIds: [], ...(holder === undefined ? {} : { holder }) };
  return waiting.reduce<LockState<Claim, Claim>>(
    (state, next) => ({ ...state, queue: claimLock(state, next).queue }),
    held,
  );
};

const idsOf = (claims: readonly Claim[]): string[] => claims.map(({ requestId }) => requestId);

describe('a claim with the policy', () => {
  test('wait goes behind whoever waits; so does one without a policy', () => {
    const { queue, placement } = claimLock(joined(claim('a'), claim('b')), claim('c', 'wait'));
    expect([idsOf(queue), placement]).toEqual([['b', 'c'], { position: 2 }]);
  });

  test('supersede takes the place of those who wait, but of no hotfix and not of the holder', () => {
    const state = joined(claim('a'), claim('b'), claim('c', 'supersede'), claim('h', 'hotfix'));
    const { queue, placement, superseded } = claimLock(state, claim('d', 'supersede'));
    expect(idsOf(queue)).toEqual(['h', 'd']);
    expect(idsOf(superseded)).toEqual(['c']);
    expect(placement).toEqual({ position: 2 });
  });

  test('supersede supersedes nobody when it is made again', () => {
    const state = joined(claim('a'), claim('b', 'supersede'), claim('c'));
    const again = claimLock(state, claim('b', 'supersede'));
    expect([idsOf(again.queue), again.superseded]).toEqual([['b', 'c'], []]);
  });

  test('hotfix goes before all that are none, and behind earlier hotfixes', () => {
    const state = joined(claim('a'), claim('b'), claim('h1', 'hotfix'), claim('c', 'supersede'));
    const { queue, placement, superseded } = claimLock(state, claim('h2', 'hotfix'));
    expect([idsOf(queue), superseded]).toEqual([['h1', 'h2', 'c'], []]);
    expect(placement).toEqual({ position: 2 });
  });

  test('hotfix finds room where ordinary releases fill the queue, supersede makes it', () => {
    const fill = (queue: QueuePolicy): Claim[] =>
      Array.from({ length: longestQueue }, (_, index) => claim(`${queue}-${index}`, queue));
    const full = joined(claim('a'), ...fill('wait'));
    const refused = { refused: 'QUEUE_FULL' };
    expect(claimLock(full, claim('late', 'wait'))).toMatchObject({ placement: refused });
    expect(claimLock(full, claim('h', 'hotfix')).placement).toEqual({ position: 1 });
    expect(claimLock(full, claim('s', 'supersede')).superseded).toHaveLength(longestQueue);
    const urgent = joined(claim('a'), ...fill('hotfix'));
    expect(claimLock(urgent, claim('h', 'hotfix'))).toMatchObject({ placement: refused });
  });
});

/** What happens to one lock, as the entity carries it out. */
type Event =
  | { what: 'join'; queue: QueuePolicy }
  | { what: 'join again' | 'withdraw'; which: number }
  | { what: 'grant' | 'give back' };

const which = fc.nat({ max: 60 });
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('join' as const),
      queue: fc.constantFrom<QueuePolicy[]>('wait', 'wait', 'supersede', 'hotfix'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('join again', 'withdraw'), which }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('grant', 'give back') }) },
);

interface Course {
  state: LockState<Claim, Claim>;
  asked: Claim[];
  granted: Claim[];
  superseded: Claim[];
  withdrawn: Claim[];
  refused: Claim[];
}

const settle = (state: Course['state'], claims: readonly Claim[]): void => {
  state.settledRequestIds = idsOf(claims).reduce(settleRequest, state.settledRequestIds);
};

const join = (course: Course, wanted: Claim): void => {
  const { state } = course;
  const { queue, placement, superseded } = claimLock(state, wanted);
  state.queue = queue;
  settle(state, superseded);
  course.superseded.push(...superseded);
  if ('refused' in placement) course.refused.push(wanted);
};

const withdraw = ({ state, withdrawn }: Course, wanted: Claim): void => {
  if (!state.queue.includes(wanted)) return;
  state.queue = withoutClaim(state.queue, wanted.requestId);
  settle(state, [wanted]);
  withdrawn.push(wanted);
};

const grant = ({ state, granted }: Course): void => {
  const [next] = state.queue;
  if (state.holder !== undefined || next === undefined) return;
  state.queue = withoutClaim(state.queue, next.requestId);
  state.holder = next;
  granted.push(next);
};

const giveBack = ({ state }: Course): void => {
  if (state.holder !== undefined) settle(state, [state.holder]);
  delete state.holder;
};

const happen = (course: Course, event: Event): void => {
  if (event.what === 'join') {
    const wanted = claim(`r${course.asked.length}`, event.queue);
    course.asked.push(wanted);
    join(course, wanted);
  } else if ('which' in event) {
    const known = course.asked[event.which];
    if (known === undefined || course.refused.includes(known)) return;
    if (event.what === 'withdraw') withdraw(course, known);
    else join(course, known);
  } else if (event.what === 'grant') {
    grant(course);
  } else {
    giveBack(course);
  }
};

const newCourse = (): Course => ({
  state: { queue: [], settledRequestIds: [] },
  ...{ asked: [], granted: [], superseded: [], withdrawn: [], refused: [] },
});

/** Everything that happens, and then the queue until it is empty. */
const courseOf = (events: readonly Event[]): Course => {
  const course = newCourse();
  for (const event of events) happen(course, event);
  while (course.state.queue.length > 0) {
    giveBack(course);
    grant(course);
  }
  return course;
};

// Fewer than are remembered as settled, so that a late repeat is always recognised.
const anyCourse = fc.array(anyEvent, { maxLength: 60 }).map(courseOf);

const isHotfix = ({ queue }: Claim): boolean => queue === 'hotfix';

describe('I-10 whatever happens to the queue', () => {
  test('nobody is lost: each claim is granted, superseded, withdrawn or refused, once', () => {
    fc.assert(
      fc.property(anyCourse, ({ asked, granted, superseded, withdrawn, refused }) => {
        const ends = idsOf([...granted, ...superseded, ...withdrawn, ...refused]);
        expect(ends.toSorted()).toEqual(idsOf(asked).toSorted());
      }),
      { numRuns: 500 },
    );
  });

  test('equals keep their order, and no hotfix is superseded', () => {
    fc.assert(
      fc.property(anyCourse, ({ asked, granted, superseded }) => {
        const inOrder = (claims: Claim[]): Claim[] =>
          claims.toSorted((a, b) => asked.indexOf(a) - asked.indexOf(b));
        for (const alike of [granted.filter(isHotfix), granted.filter((one) => !isHotfix(one))]) {
          expect(alike).toEqual(inOrder(alike));
        }
        expect(superseded.filter(isHotfix)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('hotfixes stand before all others', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        const course = newCourse();
        for (const event of events) {
          happen(course, event);
          const { queue } = course.state;
          const others = queue.findIndex((one) => !isHotfix(one));
          expect(others < 0 ? [] : queue.slice(others).filter(isHotfix)).toEqual([]);
        }
      }),
    );
  });
});

describe('a holder that only retains', () => {
  const holder = { requestId: 'a', isRetaining: true };

  test('is asked to end it by the next claim, once', () => {
    const queue = [claim('b'), claim('c')];
    expect(claimToEndRetention({ holder, queue })).toEqual(claim('b'));
    expect(claimToEndRetention({ holder: { ...holder, wantedBy: '2' }, queue })).toBeUndefined();
  });

  test('is left alone while nobody waits; so is one that still writes', () => {
    const nobody: Claim[] = [];
    expect(claimToEndRetention({ holder, queue: nobody })).toBeUndefined();
    const writing = { holder: { requestId: 'a' }, queue: [claim('b')] };
    expect(claimToEndRetention(writing)).toBeUndefined();
    expect(claimToEndRetention({ queue: [claim('b')] })).toBeUndefined();
  });
});
