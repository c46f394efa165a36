// The site's search runs in a worker, which browsers refuse to pages that are opened as files (file://).
// There it runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.waiting = []
      const begin = () => {
        this.frame = document.createElement("iframe")
        this.frame.hidden = true
        this.frame.title = "Search"
        document.body.append(this.frame)
        const inside = this.frame.contentWindow
        inside.IFrameWorker = true
        inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }))
        const script = inside.document.createElement("script")
        script.src = new URL(url, location.href).href
        script.onload = () => { this.ready = true; this.waiting.splice(0).forEach((data) => this.postMessage(data)) }
        inside.document.body.append(script)
      }
      if (document.body) begin()
      else addEventListener("DOMContentLoaded", begin)
    }
    postMessage(data) {
      if (!this.ready) { this.waiting.push(data); return }
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }))
    }
  }
}
