using System.Text.RegularExpressions;

namespace Serve.Cli.Build;

/// <summary>Reads errors out of what <c>dotnet build</c> prints.</summary>
internal static partial class CompilerErrorParser
{
    private const int TailLines = 20;

    /// <summary>Every error once, in order, as <c>file(line,col): error CODE: text</c>.</summary>
    /// <param name="lines">What the build printed.</param>
    /// <param name="project">The project, for a failure that names nothing.</param>
    /// <returns>At least one error.</returns>
    public static IReadOnlyList<string> Errors(IReadOnlyList<string> lines, string project)
    {
        List<string> errors = [];
        foreach (var line in lines)
        {
            var match = Error().Match(line.Trim());
            if (!match.Success)
                continue;
            var place = match.Groups["place"].Value.Trim();
            var error = $"error {match.Groups["code"].Value}: {match.Groups["text"].Value.Trim()}";
            // An error of the build itself names the made-up project or one of the SDK's files: no help to the user.
            var text = match.Groups["file"].Success && place.Length > 0 ? $"{place}: {error}" : error;
            if (!errors.Contains(text))
                errors.Add(text);
        }

        return errors.Count > 0
            ? errors
            : [$"'dotnet build {project}' failed: {string.Join(Environment.NewLine, lines.TakeLast(TailLines))}"];
    }

    [GeneratedRegex(@"^(?<place>(?<file>.+?\.(cs|fs|vb|razor|cshtml))\(\d+(,\d+)*\)|.*?)\s*:\s*(?:[\w ]*\s)?error (?<code>[A-Za-z]+\d+)\s*:\s*(?<text>.*?)(?:\s*\[[^\]]*\])?$", RegexOptions.CultureInvariant)]
    private static partial Regex Error();
}
