using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Serve.Replica.Tests.Fixtures;

/// <summary>Compiles user code to an assembly file in a temporary folder.</summary>
public sealed class UserCode : IDisposable
{
    private const string Usings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Threading; global using System.Threading.Tasks; global using Serve;
        """;

    private static readonly ImmutableArray<MetadataReference> Host =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is "Serve.Abstractions.dll" or "Serve.Core.dll" || path.Contains("Microsoft.NETCore.App", StringComparison.Ordinal)
                || path.Contains("Microsoft.AspNetCore.App", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("serve-user-code-").FullName;

    public static UserCode Compile(string source, string name = "App")
    {
        var code = new UserCode();
        code.Add(source, name);
        return code;
    }

    public string Add(string source, string name, params string[] references)
    {
        var path = Path.Combine(Directory, name + ".dll");
        var compilation = CSharpCompilation.Create(
            name,
            [CSharpSyntaxTree.ParseText(Usings), CSharpSyntaxTree.ParseText(source)],
            Host.AddRange(references.Select(reference => MetadataReference.CreateFromFile(reference))),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var result = compilation.Emit(path);
        Assert.True(result.Success, string.Join(Environment.NewLine, result.Diagnostics));
        return path;
    }

    public string Assembly(string name = "App") => Path.Combine(Directory, name + ".dll");

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
