import { lazy, Suspense, useState } from 'react'
import { Icon } from '../ui/icons.tsx'
import { Menu } from '../ui/Menu.tsx'
import { copy, toast } from '../ui/toast.tsx'
import type { Answer } from './ask.ts'
import { commandOf, curlOf, download, formats } from './share.ts'
import type { Pane, Query } from './state.ts'

const Inspect = lazy(() => import('./Inspect.tsx'))

interface ShareProps {
  pane: Pane
  points: number
  answer?: Answer
  textField: (query: Query) => string | undefined
}

/** Takes a pane's queries and answer elsewhere, and looks into what was said. */
export function ShareMenu({ pane, points, answer, textField }: ShareProps) {
  const [inspecting, setInspecting] = useState(false)
  const save = (format: (typeof formats)[number]) => download(pane, points, format).catch((error: Error) => toast(error.message, true))
  return (
    <>
      <button type="button" className="button icon-only" aria-label="Inspect" title="Inspect request and response" disabled={!answer} onClick={() => setInspecting(true)}>
        <Icon name="inspect" />
      </button>
      <Menu className="button icon-only" name="Share" align="end" label={<Icon name="share" />} choices={[
        { title: 'Copy link', act: () => copy(location.href, 'Link') },
        { title: 'Copy as curl', act: () => copy(curlOf(pane, points), 'curl command') },
        { title: 'Copy as plugboard query', act: () => copy(commandOf(pane, textField), 'Command') },
        ...formats.map((format) => ({ title: `Download ${format.title}`, hint: `.${format.extension}`, act: () => void save(format) })),
      ]} />
      {inspecting && answer && <Suspense><Inspect answer={answer} onClose={() => setInspecting(false)} /></Suspense>}
    </>
  )
}
