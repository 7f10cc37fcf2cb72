import { expect } from "chai";

import { layersAbove } from "../../../bench/images";

const line = (CreatedBy: string, Size: number) => JSON.stringify({ CreatedBy, Size: String(Size) });

describe("the layers of an image", () => {
  it("are those above its base that hold something, the largest first, by what made them", () => {
    const base = [line("CMD python3", 0), line("/bin/sh -c #(nop) ADD file:abc in / ", 80_000_000)];
    const image = [
      line('/bin/sh -c #(nop)  CMD ["python"]', 0),
      line("/bin/sh -c #(nop) COPY dir:0123456789abcdef in /app ", 1_000),
      line("COPY /opt/venv /opt/venv # buildkit", 120_000_000),
      line("|1 PIP_INDEX_URL=x /bin/sh -c pip install a", 5),
      line("RUN /bin/sh -c python -m compileall # buildkit", 20_000),
      ...base,
    ];
    expect(layersAbove(`${image.join("\n")}\n`, base.join("\n"))).to.deep.equal([
      { by: "COPY /opt/venv /opt/venv", bytes: 120_000_000 },
      { by: "python -m compileall", bytes: 20_000 },
      { by: "COPY /app", bytes: 1_000 },
      { by: "pip install a", bytes: 5 },
    ]);
  });
});
