import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { plugins, sources } from '../api/queries.ts'
import { request } from '../api/http.ts'
import { Editor } from '../editor/Editor.tsx'
import { formatBytes, formatSeconds } from '../frame/format.ts'
import { resourcesRoute } from '../router.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'
import { bodyKind, readReply, type Reply } from './reply.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Calls the HTTP endpoints of a plugin. */
export default function Resources() {
  const search = resourcesRoute.useSearch()
  const navigate = useNavigate({ from: '/resources' })
  const known = useQuery(sources()).data ?? []
  const apps = useQuery(plugins()).data?.filter((p) => p.type === 'app') ?? []
  const [of, setOf] = useState(search.of ?? '')
  const [method, setMethod] = useState('GET')
  const [path, setPath] = useState(search.path ?? '')
  const [body, setBody] = useState('')
  const [state, setState] = useState<{ busy?: AbortController; error?: Error; reply?: Reply }>({})
  const chosen = of || (known[0] && `ds/${known[0].uid}`) || ''
  const call = async (event: React.FormEvent) => {
    event.preventDefault()
    const busy = new AbortController()
    setState({ busy })
    void navigate({ search: { of: chosen, path: path || undefined }, replace: true })
    try {
      setState({ reply: await ask(chosen, path, method, method === 'GET' ? '' : body, busy.signal) })
    } catch (error) {
      setState(busy.signal.aborted ? {} : { error: error as Error })
    }
  }
  return (
    <div className="page">
      <header className="page-head"><h1>Resources</h1><p className="quiet">The HTTP endpoints that plugins have beside their queries.</p></header>
      <form className="card resource-form" onSubmit={call}>
        <select aria-label="Method" value={method} onChange={(event) => setMethod(event.target.value)}>{methods.map((m) => <option key={m}>{m}</option>)}</select>
        <select aria-label="Of" value={chosen} onChange={(event) => setOf(event.target.value)}>
          {known.map((s) => <option key={s.uid} value={`ds/${s.uid}`}>{s.name}</option>)}
          {apps.map((p) => <option key={p.id} value={`plugin/${p.id}`}>{p.name}</option>)}
        </select>
        <input aria-label="Path" placeholder="tables" value={path} spellCheck={false} onChange={(event) => setPath(event.target.value)} />
        {state.busy ? <button type="button" className="button" onClick={() => state.busy!.abort()}><Icon name="stop" />Cancel</button> : <button className="button primary" disabled={!chosen}><Icon name="play" />Call</button>}
        {method !== 'GET' && <div className="resource-body"><Editor label="Body" language="json" value={body} onChange={setBody} /></div>}
      </form>
      {state.error && <Failed error={state.error} />}
      {state.reply && <ReplyView reply={state.reply} />}
    </div>
  )
}

function ask(of: string, path: string, method: string, body: string, signal: AbortSignal): Promise<Reply> {
  const [kind, id] = of.split('/')
  const base = kind === 'ds' ? `/api/datasources/uid/${id}/resources/` : `/api/plugins/${id}/resources/`
  const start = performance.now()
  const init: RequestInit = { method, signal, ...(body && { body, headers: { 'Content-Type': 'application/json' } }) }
  // Whatever the plugin answers is an answer.
  const everything = Array.from({ length: 200 }, (_, i) => 400 + i).filter((status) => status !== 401)
  return request(base + path.replace(/^\//, ''), init, ...everything).then((response) => readReply(response, start))
}

function ReplyView({ reply }: { reply: Reply }) {
  return (
    <section className="card reply" aria-label="Answer">
      <header><h2>{reply.status} {reply.statusText}</h2><span className="quiet">{formatSeconds(reply.took / 1000, 0)} · {formatBytes(reply.blob.size)}</span></header>
      <Body reply={reply} />
      <details><summary>Headers <span className="quiet">{reply.headers.length}</span></summary><dl className="facts">{reply.headers.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl></details>
    </section>
  )
}

/** The body of an answer: as what it says it is, if that is harmless to show. */
function Body({ reply }: { reply: Reply }) {
  switch (bodyKind(reply)) {
    case 'empty': return <p className="quiet">There is no body.</p>
    case 'image': return <Shown blob={reply.blob} as="image" />
    case 'html': return <Shown blob={reply.blob} as="html" />
    case 'json': return <Editor label="Body of the answer" language="json" value={JSON.stringify(JSON.parse(reply.text), null, 2)} />
    default: return <Editor label="Body of the answer" language="text" value={reply.text.slice(0, 500_000)} />
  }
}

/** An image, or a page in a frame that may do nothing. */
function Shown({ blob, as }: { blob: Blob; as: 'image' | 'html' }) {
  const [url, setUrl] = useState('')
  const made = useRef('')
  useEffect(() => {
    made.current = URL.createObjectURL(blob)
    setUrl(made.current)
    return () => URL.revokeObjectURL(made.current)
  }, [blob])
  if (!url) return null
  return as === 'image' ? <img className="reply-image" src={url} alt="The body of the answer" /> : <iframe className="reply-page" title="The body of the answer" sandbox="" src={url} />
}
