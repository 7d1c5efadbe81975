import { useMemo } from 'react'
import { Editor } from '../editor/Editor.tsx'
import { formatBytes, formatSeconds } from '../frame/format.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { copy } from '../ui/toast.tsx'
import type { Answer } from './ask.ts'

// An editor of more than this is no help to anybody.
const shown = 500_000

/** What was asked and what came, to the letter. */
export default function Inspect({ answer, onClose }: { answer: Answer; onClose: () => void }) {
  const sent = useMemo(() => JSON.stringify(JSON.parse(answer.request), null, 2), [answer])
  const came = useMemo(() => (answer.response.length > shown ? answer.response.slice(0, shown) : JSON.stringify(JSON.parse(answer.response), null, 2)), [answer])
  return (
    <Dialog title="Request and response" className="wide" onClose={onClose}>
      <Head title="POST /api/ds/query" text={sent} />
      <Editor label="Request" language="json" value={sent} />
      <Head title={`${answer.status} · ${formatSeconds(answer.took / 1000, 0)} · ${formatBytes(answer.bytes)}${answer.response.length > shown ? ` · the first ${formatBytes(shown)} are shown` : ''}`} text={answer.response} />
      <Editor label="Response" language="json" value={came} />
    </Dialog>
  )
}

function Head({ title, text }: { title: string; text: string }) {
  return (
    <div className="inspect-head">
      <h3>{title}</h3><span className="spread" />
      <button type="button" className="button quiet-button" onClick={() => void copy(text, 'JSON')}><Icon name="copy" />Copy</button>
    </div>
  )
}
