import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { user } from '../api/queries.ts'
import { Icon } from '../ui/icons.tsx'
import { Menu } from '../ui/Menu.tsx'
import { copy, toast } from '../ui/toast.tsx'
import type { Answer } from './ask.ts'
import { commandOf, curlOf, download, formats, linkAt } from './share.ts'
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
  // Who has signed in asks elsewhere with a token.
  const me = useQuery(user()).data
  const signed = me !== undefined && me.login !== 'anonymous'
  const asking = signed ? ', which asks with the token in PLUGBOARD_TOKEN' : ''
  const save = (format: (typeof formats)[number]) => download(pane, points, format).catch((error: Error) => toast(error.message, true))
  return (
    <>
      <button type="button" className="button icon-only" aria-label="Inspect" title="Inspect request and response" disabled={!answer} onClick={() => setInspecting(true)}>
        <Icon name="inspect" />
      </button>
      <Menu className="button icon-only" name="Share" align="end" label={<Icon name="share" />} choices={[
        { title: 'Copy link', act: () => copy(location.href, 'Link') },
        ...(answer ? [{ title: 'Copy link to these times', act: () => copy(linkAt(pane, answer.span), 'Link') }] : []),
        { title: 'Copy as curl', act: () => copy(curlOf(pane, points, signed), `curl command${asking}`) },
        { title: 'Copy as plugboard query', act: () => copy(commandOf(pane, textField), `Command${asking}`) },
        ...formats.map((format) => ({ title: `Download ${format.title}`, hint: `.${format.extension}`, act: () => void save(format) })),
      ]} />
      {inspecting && answer && <Suspense><Inspect answer={answer} onClose={() => setInspecting(false)} /></Suspense>}
    </>
  )
}
