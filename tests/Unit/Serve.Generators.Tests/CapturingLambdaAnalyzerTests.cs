using Microsoft.CodeAnalysis.Diagnostics;

namespace Serve.Generators.Tests;

public sealed class CapturingLambdaAnalyzerTests
{
    [Fact]
    public async Task Run_LambdaThatCapturesForAWorker_IsFound()
    {
        var compiled = CompiledUserCode.From("""
            public sealed class User(int field)
            {
                private int own = field;
                public void Calls(Cluster ray, int parameter)
                {
                    var local = 1;
                    const int constant = 2;
                    TaskOptions elsewhere = new() { Isolation = Isolation.Process };
                    ray.Run(() => local + parameter + local, new() { Isolation = Isolation.Process });
                    ray.Run(async () => await Task.FromResult(own), new TaskOptions { Isolation = Isolation.Process, NumCpus = 1 });
                    ray.Run(x => { local = x; }, 1, new() { Isolation = Isolation.Process });
                    ray.Run(x => { int y = x; int Inner(int z) => y + z; return Inner(constant); }, parameter, new() { Isolation = Isolation.Process });
                    ray.Run(() => local, new() { Isolation = Isolation.None });
                    ray.Run(() => local);
                    ray.Run(() => local, elsewhere);
                    ray.Run(static () => 1, new() { Isolation = Isolation.Process });
                }
            }
            """);

        var found = await compiled.Compilation.WithAnalyzers([new CapturingLambdaAnalyzer()]).GetAnalyzerDiagnosticsAsync();

        Assert.Empty(compiled.Problems());
        Assert.Equal(
            ["9 'local', 'parameter'", "10 this", "11 'local'"],
            found.OrderBy(each => each.Location.SourceSpan.Start).Select(each =>
                $"{each.Location.GetLineSpan().StartLinePosition.Line + 1} {each.GetMessage(System.Globalization.CultureInfo.InvariantCulture).Split("captures ")[1].Split(" and cannot")[0]}"));
    }
}
