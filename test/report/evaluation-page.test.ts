import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EvaluationReport, evaluationHtml } from '../../src/report/index.ts';

const interval = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1 });
const report: EvaluationReport = {
  protocol: 'self',
  request: { protocol: 'self', synthetic: 2, seed: 500_000 },
  metrics: [
    {
      name: 'psnr',
      label: 'PSNR',
      unit: 'dB',
      decimals: 2,
      isHigherBetter: true,
      meaning: 'signal to noise',
    },
    { name: 'aed', label: 'AED', unit: '', decimals: 4, isHigherBetter: false, meaning: 'expression' },
  ],
  subjects: 2,
  frames: 2,
  rows: [
    {
      name: 'a <model>',
      metrics: { psnr: interval(20), aed: interval(0.5) },
      framesPerSecond: 8,
      failures: 1,
    },
    { name: 'lift', metrics: { psnr: interval(19) }, framesPerSecond: null, failures: 0 },
  ],
  differences: { lift: { psnr: interval(1), aed: interval(0.3) } },
  points: { 'a <model>': [{ turnDegrees: 3, expressionChange: 0.1, psnr: 20, aed: 0.5 }] },
  failureList: [{ subject: 'anna', frame: 2, row: 'a <model>', reason: 'the picture is missing' }],
  strips: [
    { name: 'anna', caption: 'PSNR 20', picture: { uri: 'data:image/jpeg;base64,AA', width: 4, height: 2 } },
  ],
  stripColumns: ['reference', 'truth'],
  maker: 'learn2control',
};

test('the page holds rows, differences, plots, pictures and failures, and needs nothing beside it', () => {
  const html = evaluationHtml(report);
  assert.match(html, /20\.00<small>19\.90 to 20\.10/);
  assert.match(html, /class="better">\+1\.00/);
  assert.match(html, /class="worse">\+0\.3000/);
  assert.match(html, /a &lt;model&gt;/);
  assert.match(html, /the picture is missing/);
  assert.equal(html.match(/<figure class="scatter">/g)?.length, 4);
  assert.equal(
    html.match(/<div class="pair">/g)?.length,
    2,
    'a figure by turn and by expression side by side',
  );
  assert.doesNotMatch(html, /(?:src|href)="(?!data:)/);
  assert.equal(html, evaluationHtml(report));
});

test("the paper's own rows are there for its protocols alone, and said to come from other data", () => {
  assert.match(evaluationHtml(report), /paper, VFHQ.*27\.84/);
  assert.match(evaluationHtml(report), /come from other data/);
  const views = evaluationHtml({ ...report, protocol: 'novel-view' });
  assert.doesNotMatch(views, /paper, VFHQ|other data/);
});
