using Spectre.Console;

namespace Serve.Cli.Display;

/// <summary>Table that is drawn on a terminal and written as aligned columns elsewhere. Empty columns are omitted.</summary>
/// <param name="columns">Titles of the columns.</param>
internal sealed class ConsoleTextTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    /// <param name="cells">One cell per column.</param>
    public void Add(params string?[] cells) => _rows.Add([.. cells.Select(cell => OneLine(cell ?? ""))]);

    /// <summary>Writes the table.</summary>
    /// <param name="console">Console of the command.</param>
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
        return LogTextEscaper.Escape(end < 0 ? text : text[..end] + " …");
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
