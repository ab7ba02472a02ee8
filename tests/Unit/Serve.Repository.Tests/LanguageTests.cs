using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Serve.Repository.Tests;

/// <summary>Comments, string literals and documents are written in plain technical English: they contain no relative clauses or words in place of the field's nouns.</summary>
public sealed partial class LanguageTests
{
    /// <summary>Occurrences that are intended: file, text of the line, reason.</summary>
    private static readonly (string File, string Text, string Reason)[] Exceptions =
    [
        ("tests/Unit/Serve.Repository.Tests/LanguageTests.cs", "whoever", "the expression itself"),
    ];

    /// <summary>Folders below which C# files are checked, one test each.</summary>
    public static TheoryData<string> SourceFolders =>
    [
        .. new[] { "src", "tests/Unit", "tests/Integration" }.SelectMany(folder => Directory.GetDirectories(Path.Combine(RepositoryFiles.Root, folder)))
            .Select(folder => Path.GetRelativePath(RepositoryFiles.Root, folder).Replace('\\', '/'))
            .Concat(["tests/Stress", "tests/Testing", "bench", "samples", "deployments"]).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(SourceFolders))]
    public void CommentsAndStrings_OfFolder_ContainNoMarkerWords(string folder) => AssertNone(
    [
        .. RepositoryFiles.Below(folder, "*.cs").SelectMany(file => Find(file, Prose(RepositoryFiles.Read(file)))),
        .. new[] { "*.proto", "*.csproj", "*.props", "*.targets" }.SelectMany(pattern => RepositoryFiles.Below(folder, pattern)).SelectMany(FindInLines),
    ]);

    [Fact]
    public void Documents_ContainNoMarkerWords() => AssertNone(
    [
        .. new[] { "docs", "src", "tests", "bench", "deployments", "samples" }.SelectMany(folder => RepositoryFiles.Below(folder, "*.md")).Append("README.md").SelectMany(FindInLines),
    ]);

    [Fact]
    public void BuildFilesAndScripts_ContainNoMarkerWords() => AssertNone(
    [
        .. new[] { "serve", "test", "bench/run", ".editorconfig", "BannedSymbols.txt", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" }
            .Concat(RepositoryFiles.Below("eng", "*")).SelectMany(FindInLines),
    ]);

    private static void AssertNone(IReadOnlyList<string> found) =>
        Assert.True(found.Count == 0, $"{found.Count} occurrences. Rewrite the sentences in plain technical English:\n{string.Join('\n', found)}");

    /// <summary>Comments and string literals of a C# file with the lines at which they start.</summary>
    private static IEnumerable<(string Text, int Line)> Prose(string source)
    {
        var root = CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot();
        var comments = root.DescendantTrivia()
            .Where(trivia => trivia.Kind() is SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia
                or SyntaxKind.SingleLineDocumentationCommentTrivia or SyntaxKind.MultiLineDocumentationCommentTrivia)
            .Select(trivia => (trivia.ToFullString(), LineOf(trivia.GetLocation())));
        var strings = root.DescendantTokens()
            .Where(token => token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.Utf8StringLiteralToken or SyntaxKind.InterpolatedStringTextToken
                or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
                or SyntaxKind.Utf8SingleLineRawStringLiteralToken or SyntaxKind.Utf8MultiLineRawStringLiteralToken)
            .Select(token => (token.Text, LineOf(token.GetLocation())));
        return comments.Concat(strings);
    }

    private static int LineOf(Location location) => location.GetLineSpan().StartLinePosition.Line + 1;

    private static IEnumerable<string> FindInLines(string file) => Find(file, RepositoryFiles.Read(file).Split('\n').Select((line, index) => (line, index + 1)));

    private static IEnumerable<string> Find(string file, IEnumerable<(string Text, int Line)> prose) =>
        from part in prose
        from line in part.Text.Split('\n').Index()
        where MarkerWords().IsMatch(line.Item) && !Exceptions.Any(exception => exception.File == file && line.Item.Contains(exception.Text, StringComparison.Ordinal))
        select $"{file}:{part.Line + line.Index}: {line.Item.Trim()}";

    [GeneratedRegex(
        @"\b(what (it|was|is|are|the|came|has|they|a)\b|told\b|tells\b|whoever|nobody|somebody|meanwhile|made again|begun again|for ever\b|made anew)",
        RegexOptions.IgnoreCase)]
    private static partial Regex MarkerWords();
}
