using Microsoft.CodeAnalysis.Diagnostics;

namespace Serve.Generators.Tests;

public sealed class RemoteValueAnalyzerTests
{
    [Fact]
    public async Task Remote_ValuesThatCannotBeSent_AreFound()
    {
        var compiled = CompiledUserCode.From("""
            public static partial class Demo
            {
                [Remote(Isolation = Isolation.Process)] public static int Read(System.IO.MemoryStream stream) => 1;
                [Remote] public static int Log(ILogger logger) => 1;
                [Remote(Isolation = Isolation.Process)] public static Outer Make(List<Inner> inner, CancellationToken stop, ObjectRef<int> reference) => new();
                [Remote] public static async IAsyncEnumerable<int> Count(Cached cached) { yield return 1; await Task.Yield(); }
            }
            public class Outer { private readonly Timer timer = new(_ => { }); public Base? Value { get; set; } }
            public class Base { [field: NonSerialized] public Action? Skipped { get; set; } public Func<int>? Handler { get; set; } ~Base() { } }
            public class Inner { public nint Address; public string Name = ""; }
            public class Cached { private int hash; public void Store(string text) => hash = text.GetHashCode(); public override int GetHashCode() => hash = 1; public override bool Equals(object? other) => other is Cached; }
            public class NotReachable { private int hash; public Action? Any; public void Store(string text) => hash = text.GetHashCode(); }
            """);

        var found = await compiled.Compilation.WithAnalyzers([new RemoteValueAnalyzer()]).GetAnalyzerDiagnosticsAsync();

        Assert.Equal(
            string.Join('\n', (string[])
            [
                "3 Warning SERVE024 'Demo.Read' takes 'stream' of type MemoryStream",
                "4 Info SERVE024 'Demo.Log' takes 'logger' of type ILogger",
                "8 Warning SERVE025 'Outer.timer' is of type Timer",
                "9 Warning SERVE025 'Base.Handler' is of type Func<int>",
                "9 Info SERVE026 'Base' has a finalizer",
                "10 Warning SERVE025 'Inner.Address' is of type nint",
                "11 Info SERVE027 'Cached.hash' stores a hash code",
            ]),
            string.Join('\n', found.OrderBy(each => each.Location.SourceSpan.Start).ThenBy(each => each.Id).Select(each =>
                $"{each.Location.GetLineSpan().StartLinePosition.Line + 1} {each.Severity} {each.Id} {each.GetMessage(System.Globalization.CultureInfo.InvariantCulture).Split(", which")[0]}").OrderBy(text => int.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)).ThenBy(text => text.Split(' ')[2], StringComparer.Ordinal)));
    }
}
