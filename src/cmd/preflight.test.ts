import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import type { TransportRequest, TransportResponse } from '../kube/transport.ts'
import { VirtualClock } from '../sim/clock.ts'
import { preflight } from './preflight.ts'

const never = new AbortController().signal
const where = { server: 'https://api:6443', source: 'context work' }

function answering(answer: (request: TransportRequest) => Promise<TransportResponse>): Api {
  return new Api({ send: answer }, new VirtualClock())
}

function status(code: number, reason: string, message: string): () => Promise<TransportResponse> {
  return () => Promise.resolve({ status: code, headers: {}, body: once({ kind: 'Status', code, reason, message }) })
}

async function* once(body: object): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(JSON.stringify(body))
}

describe('preflight', () => {
  const rows: readonly [string, () => Promise<TransportResponse>, RegExp][] = [
    [
      'no server',
      () => Promise.reject(new Error('connect ECONNREFUSED')),
      /^the API server https:\/\/api:6443 \(from context work\) cannot be reached: .*ECONNREFUSED\. .*--kubeconfig/,
    ],
    [
      'no CRD',
      status(404, 'NotFound', 'not found'),
      /knows no LeaderGroups: install the CRD with kubectl apply -f crds/,
    ],
    [
      'no permission',
      status(403, 'Forbidden', 'x cannot list leadergroups'),
      /x cannot list leadergroups.*config\/rbac$/,
    ],
    ['no identity', status(401, 'Unauthorized', 'Unauthorized'), /does not accept these credentials/],
    ['a fault of the server', status(500, 'InternalError', 'etcd is gone'), /answers: .*etcd is gone/],
    ['a busy server', status(429, 'TooManyRequests', 'later'), /answers: .*later/],
  ]
  for (const [what, answer, expected] of rows) {
    it(`tells of ${what}`, async () => {
      assert.match((await preflight(answering(answer), [], where, never)) ?? 'nothing', expected)
    })
  }

  it('does not hold up an end', async () => {
    const end = new AbortController()
    const waiting = preflight(
      answering(
        ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error))
          }),
      ),
      [],
      where,
      end.signal,
    )
    end.abort()
    assert.equal(await waiting, undefined)
  })

  it('says nothing when all is well, and asks where it may', async () => {
    const paths: string[] = []
    const api = answering(({ path }) => {
      paths.push(path)
      return Promise.resolve({
        status: 200,
        headers: {},
        body: once({ items: [], metadata: { resourceVersion: '1' } }),
      })
    })
    assert.equal(await preflight(api, [], where, never), undefined)
    assert.equal(await preflight(api, ['shop', 'other'], where, never), undefined)
    assert.deepEqual(paths, [
      '/apis/leadergroup.io/v1alpha1/leadergroups?limit=1',
      '/apis/leadergroup.io/v1alpha1/namespaces/shop/leadergroups?limit=1',
    ])
  })
})
