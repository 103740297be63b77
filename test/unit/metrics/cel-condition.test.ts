import { describe, expect, test } from '@jest/globals';
import { compileCondition, conditionProblem } from '../../../activities/metrics/cel-condition.ts';

const holds = (text: string, ...numbers: number[]) => {
  const condition = compileCondition(text);
  return 'problem' in condition ? condition : condition.of(numbers);
};

describe('a condition', () => {
  test.each([
    ['result < 0.05', [0.02], true],
    ['result < 0.05', [0.05], false],
    ['result < 1', [0.5], true],
    ['result == 0.0', [0], true],
    ['result >= 1 && result <= 5', [3], true],
    ['!(result > 0.1) || result > 9', [0.5], false],
    ['result < 1 ? true : false', [0.5], true],
    ['results.all(r, r < 0.1)', [0.05, 0.2], false],
    ['results.exists(r, r > 0.1)', [0.05, 0.2], true],
    ['results.exists_one(r, r > 0.1)', [0.5, 0.2], false],
    ['results.filter(r, r > 0.1).size() <= 1', [0.5, 0.05], true],
    ['results.map(r, r * 2.0).all(d, d < 1)', [0.4], true],
    ['size(results) > 2', [1, 2], false],
    ['results[1] / results[0] < 1.5', [2, 2.5], true],
    ['result in [1.0, 2.0]', [2], true],
    ['double(size(results)) * result > 1', [0.6, 0.6], true],
    ['result < 1e-3 // very few', [0.0005], true],
  ])('%s of %j is %j', (text, numbers, expected) => {
    expect(conditionProblem(text)).toBeUndefined();
    expect(holds(text, ...numbers)).toEqual({ holds: expected });
  });

  test('says whether it is about one number', () => {
    expect(compileCondition('result < 1')).toMatchObject({ needsOneResult: true });
    expect(compileCondition('results.all(r, r < 1)')).toMatchObject({ needsOneResult: false });
  });

  test.each([
    ['results[3] < 1', 'index out of bounds'],
    ['size(results) / 0 > int(result)', 'division by zero'],
  ])('that cannot be decided for these numbers says so: %s', (text, problem) => {
    expect(holds(text, 1)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

describe('a condition is refused', () => {
  const refused = (text: string) => expect(conditionProblem(text));

  test.each([
    ['reslt < 1', 'Unknown variable: reslt (at character 1); a condition speaks of result'],
    ['result < 1 && stable > 1', 'Unknown variable: stable (at character 15)'],
    ['result <', 'Unexpected token: EOF (at character 9)'],
    ['', 'Unexpected token: EOF'],
    ['result < .5', 'Unexpected token: DOT (at character 10)'],
    ['result', 'must be true or false, is of type double'],
    ['results.map(r, r < 1)', 'must be true or false, is of type list'],
    ['result < "1"', 'no such overload: double < string'],
    ['results.all(r, r)', 'predicate must return bool'],
    ['results < 1', 'no such overload: list<double> < int'],
  ])('for a mistake, which it names: %s', (text, problem) => {
    refused(text).toContain(problem);
  });

  test('for a whole number beside a measured one, with what to write instead', () => {
    refused('result == 0').toContain('double == int (at character 1)');
    refused('result == 0').toContain('write 1.0, not 1');
  });

  test.each(['true', '1 < 2', '"a" == "a"'])(
    'when it decides the same whatever is measured: %s',
    (text) => {
      refused(text).toContain('must speak of result or results');
    },
  );

  test.each([
    '"aaaaaaaaaaaaaaaaaaaaaaaaaaa!".matches("(a+)+$") || result < 1',
    'cel.bind(x, [result], x[0] < 1)',
    'dyn(result) < 1',
    'has(result.a)',
    'timestamp("2026-01-01T00:00:00Z") < timestamp(0) || result < 1',
  ])('when it calls what conditions do not need: %s', (text) => {
    refused(text).toContain('is not available in conditions');
  });

  test.each(['result.constructor == 1', 'results.__proto__ == 1', '__proto__ < result', 'a.b < 1'])(
    'when it reaches for what is not a number: %s',
    (text) => {
      expect(conditionProblem(text)).toEqual(expect.any(String));
    },
  );

  test.each([
    ['a loop in a loop', 'results.all(r, results.exists(s, s < r))', 'inside another loop'],
    ['a loop in a loop over literals', '[1].all(a, [2].all(b, a < b)) || result < 1', 'inside'],
    ['maps', '{"a": result}["a"] < 1', 'maps are not available'],
    ['many terms', Array.from({ length: 60 }, () => 'result < 1').join('&&'), 'characters, has'],
    ['much nesting', `${'('.repeat(40)}result < 1${')'.repeat(40)}`, 'Exceeded maxDepth'],
    ['long lists', `result in [${Array.from({ length: 60 }, () => '1.0').join()}]`, 'Exceeded'],
    ['many short terms', Array.from({ length: 90 }, () => '1').join('+'), 'Exceeded maxAstNodes'],
  ])('when it could take long: %s', (_what, text, problem) => {
    refused(text).toContain(problem);
  });

  test('a loop over what a loop gives is no loop in a loop', () => {
    expect(conditionProblem('results.filter(r, r > 0.1).all(r, r < 0.5)')).toBeUndefined();
  });
});
