// The page: one contender, by the name in its address, and the folder that is dropped on it.
import { type Contender, inWorker } from "./contender.ts";
import { mountfs } from "./mountfs.ts";

declare global {
  interface Window {
    contender: Contender;
    /** The folder, when it has been dropped. */
    folder: Promise<FileSystemDirectoryHandle>;
  }
}

const zone = document.getElementById("zone")!;
zone.ondragover = (event) => event.preventDefault();
window.folder = new Promise((resolve) => {
  zone.ondrop = (event) => {
    event.preventDefault();
    resolve(event.dataTransfer!.items[0]!.getAsFileSystemHandle() as Promise<FileSystemDirectoryHandle>);
  };
});

const [name, atOnce = "1"] = new URLSearchParams(location.search).get("contender")!.split("-");
// mountfs makes its worker itself.
window.contender =
  name === "mountfs" ? mountfs : inWorker(new Worker(`/${name}.js?at-once=${atOnce}`, { type: "module" }));
