using Serve.Cli.Build;

namespace Serve.Cli.Tests.Build;

public sealed class SourceDirectivesTests
{
    [Fact]
    public void Read_EveryKind_Found()
    {
        var found = SourceDirectives.Read("/a/X.cs", """
            #!/usr/bin/env serve run
            // a comment
            #:sdk Microsoft.NET.Sdk.Web
            #:package Humanizer@2.14.1
            #:package Polly
            #:property LangVersion=preview

            using Serve;
            """);

        Assert.Equal([("Microsoft.NET.Sdk.Web", (string?)null)], found.Sdks.ToArray());
        Assert.Equal([("Humanizer", "2.14.1"), ("Polly", null)], found.Packages.ToArray());
        Assert.Equal([("LangVersion", "preview")], found.Properties.ToArray());
    }

    [Fact]
    public void Read_TwoWrongDirectives_BothToldWithLine()
    {
        var error = Assert.Throws<DefinitionException>(() => SourceDirectives.Read("/a/X.cs", "#:property Nothing\n#:pakage A@1\n"));

        Assert.Equal(2, error.Errors.Count);
        Assert.StartsWith("/a/X.cs(1,1): error:", error.Errors[0], StringComparison.Ordinal);
        Assert.StartsWith("/a/X.cs(2,1): error:", error.Errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Write_PathWithMsBuildLetters_Escaped()
    {
        var text = SourceFileProject.Write("/a;b/50%/X.cs", "X", new SourceDirectives());

        Assert.Contains("Compile Include=\"/a%3Bb/50%25/X.cs\"", text, StringComparison.Ordinal);
    }
}
