// A page of a plugin's, as a picture of it.

const nonce = () => document.querySelector<HTMLMetaElement>('meta[name=nonce]')?.content ?? ''

// What acts, loads or leads elsewhere.
const removed = 'script, meta[http-equiv], base, link, iframe, object, embed, frame, frameset'

/**
 * HTML without what acts, loads or leads elsewhere. It is shown in a frame that
 * may not do any of that either, under the policy of this page, which lets
 * styles in by its nonce alone.
 */
export function harmless(html: string): Blob {
  // Styles of elements are refused as soon as they are parsed, so they are put by.
  const page = new DOMParser().parseFromString(html.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle\s*=/gi, ' data-style=')), 'text/html')
  page.querySelectorAll(removed).forEach((element) => element.remove())
  const rules: string[] = []
  page.querySelectorAll('*').forEach((element) => {
    for (const { name } of [...element.attributes]) if (name.startsWith('on')) element.removeAttribute(name)
    const style = element.getAttribute('data-style')
    if (style === null) return
    element.setAttribute('data-styled', String(rules.length))
    rules.push(`[data-styled="${rules.length}"] { ${style.replace(/[{}]/g, '')} }`)
  })
  page.querySelectorAll('style').forEach((style) => style.setAttribute('nonce', nonce()))
  const own = page.createElement('style')
  own.setAttribute('nonce', nonce())
  own.textContent = rules.join('\n')
  page.head.append(own)
  // Nothing in it is clicked or written into: there is nowhere for that to go.
  page.body.setAttribute('inert', '')
  return new Blob(['<!doctype html>', page.documentElement.outerHTML], { type: 'text/html; charset=utf-8' })
}
