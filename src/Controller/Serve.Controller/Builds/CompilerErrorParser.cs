using System.Text.RegularExpressions;

namespace Serve.Controller.Builds;

/// <summary>Extracts the errors from the output of <c>dotnet build</c>.</summary>
internal static partial class CompilerErrorParser
{
    private const int TailLines = 20;

    /// <summary>Returns every distinct error, in order, as <c>file(line,col): error CODE: text</c>.</summary>
    /// <param name="lines">Output of the build.</param>
    /// <param name="target">The target, for a failure without an error message.</param>
    /// <returns>At least one error.</returns>
    public static IReadOnlyList<string> Errors(IReadOnlyList<string> lines, string target)
    {
        // Errors of generated code are consequences of others, unless there are none.
        List<string> errors = [], generated = [];
        foreach (var line in lines)
        {
            var match = Error().Match(line.Trim());
            if (!match.Success)
                continue;
            var code = match.Groups["code"] is { Success: true, Value: var value } ? $" {value}" : "";
            var error = $"error{code}: {match.Groups["text"].Value.Trim()}";
            // Other places are project files and files of the SDK, which do not help to locate the error.
            var text = match.Groups["file"].Success ? $"{match.Groups["place"].Value.Trim()}: {error}" : error;
            var found = match.Groups["file"].Value.EndsWith(".g.cs", StringComparison.Ordinal) ? generated : errors;
            if (!found.Contains(text))
                found.Add(text);
        }

        return errors.Count > 0 ? errors
            : generated.Count > 0 ? generated
            : [$"'dotnet build {target}' failed: {string.Join(Environment.NewLine, lines.TakeLast(TailLines))}"];
    }

    [GeneratedRegex(@"^(?<place>(?<file>.+?\.(cs|fs|vb|razor|cshtml))\(\d+(,\d+)*\)|.*?)\s*:\s*(?:[\w ]*\s)?error(?: (?<code>[A-Za-z]+\d+))?\s*:\s*(?<text>.*?)(?:\s*\[[^\]]*\])?$", RegexOptions.CultureInvariant)]
    private static partial Regex Error();
}
