"""`markwise train ablation`: the paper's Table 4 and Figure 3 in the small, one resumable grid of training runs."""

import sys
from pathlib import Path

import click

from models.training.ablation.arms import ARMS, SIZES


@click.command("ablation")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Pictures and checkpoints."
)
@click.option(
    "--results", type=click.Path(file_okay=False, path_type=Path), help="Results, table and plot; OUT/results."
)
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The tower's checkpoint.")
@click.option("--arm", "arms", multiple=True, type=click.Choice(list(ARMS)), help="Some arms only; repeatable.")
@click.option("--size", "sizes", multiple=True, type=click.Choice(list(SIZES)), help="Repeatable; small without.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--tokens", multiple=True, type=click.IntRange(1), help="Tokens a cell reads, all arms alike; repeatable."
)
@click.option("--listing-pictures", multiple=True, type=click.IntRange(1), help="How many are listed; repeatable.")
@click.option("--pictures", type=click.IntRange(10), default=3_000, show_default=True, help="Drawn for training.")
@click.option("--held-out", type=click.IntRange(2), default=300, show_default=True, help="Drawn for the questions.")
@click.option(
    "--doublings", type=click.IntRange(0), default=0, help="To convergence: so often twice the tokens, while it helps."
)
def ablation(
    out: Path,
    results: Path | None,
    base: Path | None,
    arms: tuple[str, ...],
    sizes: tuple[str, ...],
    seeds: int,
    tokens: tuple[int, ...],
    listing_pictures: tuple[int, ...],
    pictures: int,
    held_out: int,
    doublings: int,
) -> None:
    r"""Teach the same tiny LLaVA from the same start on five mixtures, and compare what it can then do.

    The arms are the paper's Table 4: base instruction data; with listings; with questions about marks; with both; with as many
    dense captions without tags. Every cell reads the same number of tokens. What a cell found is kept as it ends, in
    RESULTS/cells; table.md and ablation.svg follow, with 95 % intervals, and the table is printed at the end. Run it again to go
    on where it was cut off.

    On a GPU, to convergence and with the paper's Figure 3 (66 cells and their doublings; the plot has the curves):

    \b
    markwise train ablation --out grid --size small --size large --doublings 5 --pictures 50000 \
        --listing-pictures 1000 --listing-pictures 5000 --listing-pictures 10000 --listing-pictures 50000
    """
    # Imported here: `markwise --help` need not wait for torch.
    from models.training.ablation import grid
    from models.training.events import Reporter
    from models.training.loop import StopFlag
    from models.training.process import prepare
    from workers.shelf import BUILT_IN_FOLDER

    prepare()
    stop = StopFlag()
    stop.listen()
    plan = grid.Plan(
        base=base or BUILT_IN_FOLDER,
        arms=arms or tuple(ARMS),
        seeds=seeds,
        sizes=sizes or ("small",),
        tokens=tokens or (grid.TOKENS,),
        listing_pictures=listing_pictures,
        pictures=pictures,
        held_out=held_out,
        doublings=doublings,
    )
    results = results or out / "results"
    ended = grid.run(plan, out, results, Reporter(), stop)
    if (table := results / "table.md").is_file():
        click.echo(table.read_text(encoding="utf-8"))
        click.echo(f"table and plot: {table}, {results / 'ablation.svg'}; every cell: {results / 'cells'}", err=True)
    if not ended:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
