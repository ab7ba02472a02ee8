using Serve.Controller.Builds;

namespace Serve.Controller.Tests.Builds;

public sealed class CompilerErrorParserTests
{
    [Theory]
    [InlineData("/a/Counter.cs(9,79): error CS1513: } expected [/b/Counter.csproj]", "/a/Counter.cs(9,79): error CS1513: } expected")]
    [InlineData("/b/X.csproj : error NU1101: Unable to find package Nope. [/b/X.csproj]", "error NU1101: Unable to find package Nope.")]
    [InlineData("/usr/sdk/Microsoft.targets(266,5): error NETSDK1045: not supported. [/b/X.csproj]", "error NETSDK1045: not supported.")]
    [InlineData("CSC : error CS5001: no Main [/b/X.csproj]", "error CS5001: no Main")]
    [InlineData("/a/X.cs(2): error: Unrecognized directive 'pakage'.", "/a/X.cs(2): error: Unrecognized directive 'pakage'.")]
    public void Errors_OneLine_Read(string line, string expected) =>
        Assert.Equal([expected], CompilerErrorParser.Errors(["  Determining projects…", line, line], "/b/X.csproj"));

    [Fact]
    public void Errors_OfGeneratedCode_OnlyWithoutOthers()
    {
        const string Own = "/a/X.cs(1,62): error CS0246: no type 'Nope' [/b/X.csproj]";
        const string Generated = "/b/obj/Serve.Generators/XHandle.g.cs(15,60): error CS0246: no type 'Nope' [/b/X.csproj]";

        Assert.Equal(["/a/X.cs(1,62): error CS0246: no type 'Nope'"], CompilerErrorParser.Errors([Generated, Own], "/b/X.csproj"));
        Assert.Equal(["/b/obj/Serve.Generators/XHandle.g.cs(15,60): error CS0246: no type 'Nope'"], CompilerErrorParser.Errors([Generated], "/b/X.csproj"));
    }

    [Fact]
    public void Errors_NoneFound_TailOfTheOutput()
    {
        var error = Assert.Single(CompilerErrorParser.Errors(["It fell over."], "/b/X.csproj"));

        Assert.Contains("It fell over.", error, StringComparison.Ordinal);
    }
}
