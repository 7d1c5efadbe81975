import { useEffect, useMemo, useState } from 'react'
import { Editor } from '../editor/Editor.tsx'
import { formatBytes, formatSeconds } from '../frame/format.ts'
import { Elapsed } from '../ui/Elapsed.tsx'
import { Icon } from '../ui/icons.tsx'
import { harmless } from './page.ts'
import { dump, kindOf, mostShown, type Reply } from './reply.ts'

/** An answer, or as much of it as there is by now. */
export function ReplyView({ reply, busy, name }: { reply?: Reply; busy: boolean; name: string }) {
  if (!reply) return <section className="card reply" aria-label="Answer"><p className="testing" role="status"><span className="spinner" />Waiting for an answer… <Elapsed /></p></section>
  const tone = reply.status < 300 ? 'good' : reply.status < 400 ? '' : 'bad'
  return (
    <section className="card reply" aria-label="Answer" aria-busy={busy}>
      <header>
        <h2 className={`status-code ${tone}`}>{reply.status} {reply.statusText}</h2>
        <span className="quiet" role="status">{busy && <span className="spinner" />} {formatSeconds(reply.took / 1000, reply.took < 1000 ? 0 : 1)} · {formatBytes(reply.size)}{busy && ' so far'} · {reply.type || 'no type'}</span>
        <span className="spread" />
        {reply.blob.size > 0 && !busy && <Download blob={reply.blob} name={name} />}
      </header>
      {reply.cut && <p className="notice">{cuts[reply.cut]}</p>}
      <Body reply={reply} />
      <details className="more"><summary>Headers <span className="quiet">{reply.headers.length}</span></summary><dl className="facts">{reply.headers.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl></details>
    </section>
  )
}

const cuts = {
  full: 'It is longer than 64 MiB: the rest was not fetched. A script can have it all, from the same address.',
  cancelled: 'You cancelled it. This is what had come by then.',
  broken: 'The connection broke off. This is what had come by then.',
}

function useURL(blob: Blob): string {
  const [url, setURL] = useState('')
  useEffect(() => {
    const made = URL.createObjectURL(blob)
    setURL(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])
  return url
}

function Download({ blob, name }: { blob: Blob; name: string }) {
  return <a className="button" href={useURL(blob)} download={name}><Icon name="download" />Download</a>
}

/** The body of an answer: as what it says it is, if that is harmless to show. */
function Body({ reply }: { reply: Reply }) {
  const kind = kindOf(reply)
  switch (kind) {
    case 'empty': return reply.done ? <p className="quiet">There is no body.</p> : null
    case 'image': return <Picture blob={reply.blob} />
    case 'html': return <Page reply={reply} />
    case 'binary': return <Bytes blob={reply.blob} />
    case 'json': return <Editor label="Body of the answer" language="json" value={JSON.stringify(JSON.parse(reply.text), null, 2)} />
    case 'text': return <Text reply={reply} />
  }
}

function Picture({ blob }: { blob: Blob }) {
  const url = useURL(blob)
  return url ? <img className="reply-image" src={url} alt="The body of the answer" /> : null
}

/** A page in a frame that may do nothing; or what it is written in. */
function Page({ reply }: { reply: Reply }) {
  const [source, setSource] = useState(false)
  const url = useURL(useMemo(() => harmless(reply.text), [reply]))
  return (
    <>
      <div className="tabs" role="group" aria-label="View">
        <button type="button" aria-pressed={!source} onClick={() => setSource(false)}>Page</button>
        <button type="button" aria-pressed={source} onClick={() => setSource(true)}>Source</button>
      </div>
      {source
        ? <Editor label="Body of the answer" language="text" value={reply.text} />
        : url && <iframe className="reply-page" title="The body of the answer" sandbox="" src={url} />}
      {!source && <p className="quiet">Shown without scripts, and nothing in it can be clicked.</p>}
    </>
  )
}

/** Text as it comes; its end, as long as there may be more. */
function Text({ reply }: { reply: Reply }) {
  const { text, done, size } = reply
  if (!done) return <pre className="reply-text" tabIndex={0} aria-label="The end of the body so far">{text}</pre>
  return (
    <>
      {size > mostShown && <p className="notice info">The first {formatBytes(mostShown)} of {formatBytes(size)}; the download has it all.</p>}
      <pre className="reply-text" tabIndex={0} aria-label="Body of the answer">{text}</pre>
    </>
  )
}

const mostBytes = 1024

function Bytes({ blob }: { blob: Blob }) {
  const [text, setText] = useState('')
  useEffect(() => {
    let gone = false
    void blob.slice(0, mostBytes).arrayBuffer().then((bytes) => gone || setText(dump(new Uint8Array(bytes))))
    return () => void (gone = true)
  }, [blob])
  return (
    <>
      {blob.size > mostBytes && <p className="quiet">The first {mostBytes} of {blob.size.toLocaleString('en-US')} bytes</p>}
      <pre className="reply-text" tabIndex={0} aria-label="Body of the answer, as bytes">{text}</pre>
    </>
  )
}
