import { useBlocker } from '@tanstack/react-router'
import { Dialog } from '../ui/Dialog.tsx'

/** Asks whoever leaves the page with something written that is not saved. */
export function Leaving({ dirty }: { dirty: boolean }) {
  const blocked = useBlocker({ shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname, enableBeforeUnload: () => dirty, withResolver: true })
  if (blocked.status !== 'blocked') return null
  return (
    <Dialog title="Leave without saving?" onClose={blocked.reset}>
      <p>What you have written here is not saved, and is lost if you leave.</p>
      <div className="buttons">
        <button type="button" className="button primary" data-first onClick={blocked.reset}>Stay</button>
        <button type="button" className="button danger" onClick={blocked.proceed}>Leave</button>
      </div>
    </Dialog>
  )
}
