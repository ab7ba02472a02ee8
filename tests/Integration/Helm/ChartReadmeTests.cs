using System.Text;
using Serve.Testing;

namespace Serve.Helm.Tests;

/// <summary>The README of the chart lists every value; the list is generated from values.yaml.</summary>
public sealed class ChartReadmeTests
{
    private const string UpdateVariable = "SERVE_UPDATE_GOLDEN";
    private const string Begin = "<!-- values: begin -->\n";
    private const string End = "<!-- values: end -->\n";

    [Fact]
    public void Readme_ListOfValues_IsThatOfValuesYaml()
    {
        var file = Path.Combine(HelmCommand.Chart, "README.md");
        var readme = File.ReadAllText(file);
        var (from, to) = (readme.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, readme.IndexOf(End, StringComparison.Ordinal));
        var table = CreateTable(File.ReadAllLines(Path.Combine(HelmCommand.Chart, "values.yaml")));
        if (Environment.GetEnvironmentVariable(UpdateVariable) is not null)
            File.WriteAllText(file, readme = readme[..from] + table + readme[to..]);
        Assert.Equal(table, readme[from..readme.IndexOf(End, StringComparison.Ordinal)]);
    }

    [Fact]
    public void Values_EveryValue_IsDescribed() =>
        Assert.DoesNotContain("|  |", CreateTable(File.ReadAllLines(Path.Combine(HelmCommand.Chart, "values.yaml"))), StringComparison.Ordinal);

    /// <summary>A row for each value with a comment above it; nested maps without a comment are groups.</summary>
    private static string CreateTable(string[] lines)
    {
        var table = new StringBuilder("| value | default | meaning |\n| --- | --- | --- |\n");
        var (path, comment) = (new Stack<(int Indent, string Key)>(), "");
        for (var i = 0; i < lines.Length; i++)
        {
            var (line, text) = (lines[i], lines[i].Trim());
            if (text.Length == 0)
            {
                comment = "";
                continue;
            }

            if (text.StartsWith('#'))
            {
                comment = $"{comment} {text[1..].Trim()}".Trim();
                continue;
            }

            var indent = line.Length - line.TrimStart().Length;
            while (path.Count > 0 && path.Peek().Indent >= indent)
                path.Pop();
            var (key, value) = (text[..text.IndexOf(':', StringComparison.Ordinal)], text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
            path.Push((indent, key));
            if (comment.Length > 0)
            {
                // A map whose keys have no comments is one value: its lines follow.
                List<string> nested = value.Length > 0 ? [value] : [.. lines.Skip(i + 1).TakeWhile(next => next.Length - next.TrimStart().Length > indent)];
                table.Append("| `").AppendJoin('.', path.Reverse().Select(level => level.Key)).Append("` | ")
                    .Append(value.Length > 0 ? $"`{value}`" : "see values.yaml").Append(" | ").Append(comment.Replace("|", "\\|", StringComparison.Ordinal)).Append(" |\n");
                comment = "";
                if (value.Length == 0)
                    i += nested.Count;
            }
            else if (value.Length > 0)
            {
                table.Append("| `").AppendJoin('.', path.Reverse().Select(level => level.Key)).Append("` | `").Append(value).Append("` |  |\n");
            }
        }

        return table.ToString();
    }
}
