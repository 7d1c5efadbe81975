import { useMemo } from 'react'
import { Editor } from '../editor/Editor.tsx'
import { formatBytes, formatSeconds } from '../frame/format.ts'
import { Dialog } from '../ui/Dialog.tsx'
import type { Answer } from './ask.ts'

// An editor of more than this is no help to anybody.
const shown = 500_000

/** What was asked and what came, to the letter. */
export default function Inspect({ answer, onClose }: { answer: Answer; onClose: () => void }) {
  const sent = useMemo(() => JSON.stringify(JSON.parse(answer.request), null, 2), [answer])
  const came = useMemo(() => (answer.response.length > shown ? answer.response.slice(0, shown) : JSON.stringify(JSON.parse(answer.response), null, 2)), [answer])
  return (
    <Dialog title="Request and response" className="wide" onClose={onClose}>
      <h3>POST /api/ds/query</h3>
      <Editor label="Request" language="json" value={sent} />
      <h3>{answer.status} · {formatSeconds(answer.took / 1000, 0)} · {formatBytes(answer.bytes)}{answer.response.length > shown && ` · the first ${formatBytes(shown)} are shown`}</h3>
      <Editor label="Response" language="json" value={came} />
    </Dialog>
  )
}
