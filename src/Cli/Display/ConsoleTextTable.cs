using Spectre.Console;

namespace Serve.Cli.Display;

/// <summary>A table: drawn on a terminal, columns side by side in a pipe. A column in which nothing stands is left out. Its state is its rows.</summary>
/// <param name="columns">The columns' titles.</param>
internal sealed class ConsoleTextTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    /// <param name="cells">As many as there are columns.</param>
    public void Add(params string?[] cells) => _rows.Add([.. cells.Select(cell => OneLine(cell ?? ""))]);

    /// <summary>Writes it.</summary>
    /// <param name="console">Where to.</param>
    public void Write(CommandConsole console)
    {
        int[] kept = [.. Enumerable.Range(0, columns.Length).Where(column => _rows.Exists(row => row[column].Length > 0))];
        if (console.IsInteractive)
            WriteDrawn(kept);
        else
            WritePlain(console.Out, kept);
    }

    private static string OneLine(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end] + " …";
    }

    private void WriteDrawn(int[] kept)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in kept)
            table.AddColumn(new TableColumn(Markup.Escape(columns[column])));
        foreach (var row in _rows)
            table.AddRow(kept.Select(column => new Text(row[column])));
        AnsiConsole.Write(table);
    }

    private void WritePlain(TextWriter output, int[] kept)
    {
        var widths = columns.Select((title, column) => _rows.Select(row => row[column].Length).Append(title.Length).Max()).ToArray();
        foreach (var row in _rows.Prepend([.. columns.Select(title => title.ToUpperInvariant())]))
            output.WriteLine(string.Join("  ", kept.Select(column => row[column].PadRight(widths[column]))).TrimEnd());
    }
}
