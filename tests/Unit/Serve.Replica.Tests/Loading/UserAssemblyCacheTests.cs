using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Serve.Replica.Loading;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Loading;

public sealed class UserAssemblyCacheTests
{
    private readonly UserAssemblyCache _assemblies = new();

    [Fact]
    public void Acquire_SameHash_SharesTheLoadedCode()
    {
        using var code = UserCode.Compile("public class A;");

        using var first = _assemblies.Acquire("h1", code.Assembly());
        using var second = _assemblies.Acquire("h1", code.Assembly());

        Assert.Same(first.Assembly, second.Assembly);
        Assert.Equal(1, _assemblies.Count);
    }

    [Fact]
    public void Acquire_TwoVersionsOfOnePackage_EachHasItsOwn()
    {
        using var one = WithLibrary("1.0.0.0");
        using var two = WithLibrary("2.0.0.0");

        using var first = _assemblies.Acquire("h1", one.Assembly());
        using var second = _assemblies.Acquire("h2", two.Assembly());

        Assert.Equal("1.0.0.0", Ask(first));
        Assert.Equal("2.0.0.0", Ask(second));
    }

    [Fact]
    public void Acquire_ContractAndFramework_AreTheHosts()
    {
        using var code = UserCode.Compile("""
            [Deployment] public class A { public static Type[] Get() => [typeof(DeploymentAttribute), typeof(Cluster), typeof(Microsoft.AspNetCore.Http.HttpContext), typeof(Microsoft.Extensions.Logging.ILogger)]; }
            """);
        // A published package contains its own copy of Serve.Abstractions, which must not be loaded.
        File.Copy(typeof(DeploymentAttribute).Assembly.Location, Path.Combine(code.Directory, "Serve.Abstractions.dll"));
        File.Copy(typeof(Cluster).Assembly.Location, Path.Combine(code.Directory, "Serve.Core.dll"));

        using var loaded = _assemblies.Acquire("h1", code.Assembly());
        var types = (Type[])loaded.Assembly.GetType("A")!.GetMethod("Get")!.Invoke(null, null)!;

        Assert.Equal([typeof(DeploymentAttribute), typeof(Cluster), typeof(Microsoft.AspNetCore.Http.HttpContext), typeof(Microsoft.Extensions.Logging.ILogger)], types);
    }

    [Fact]
    public void Acquire_NativeLibraryInDepsJson_IsFound()
    {
        using var code = UserCode.Compile("""
            public class A { public static IntPtr Get() => System.Runtime.InteropServices.NativeLibrary.Load("mine", typeof(A).Assembly, null); }
            """);
        var native = Directory.CreateDirectory(Path.Combine(code.Directory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native")).FullName;
        File.Copy(SystemNative(), Path.Combine(native, "libmine.so"));
        File.WriteAllText(Path.Combine(code.Directory, "App.deps.json"), $$"""
            {
              "runtimeTarget": { "name": ".NETCoreApp,Version=v10.0" },
              "targets": { ".NETCoreApp,Version=v10.0": {
                "App/1.0.0": { "dependencies": { "Mine": "1.0.0" }, "runtime": { "App.dll": {} } },
                "Mine/1.0.0": { "runtimeTargets": { "runtimes/{{RuntimeInformation.RuntimeIdentifier}}/native/libmine.so": {
                  "rid": "{{RuntimeInformation.RuntimeIdentifier}}", "assetType": "native" } } } } },
              "libraries": {
                "App/1.0.0": { "type": "project", "serviceable": false, "sha512": "" },
                "Mine/1.0.0": { "type": "package", "serviceable": false, "sha512": "", "path": "." } }
            }
            """);

        using var loaded = _assemblies.Acquire("h1", code.Assembly());

        Assert.NotEqual(0, (nint)loaded.Assembly.GetType("A")!.GetMethod("Get")!.Invoke(null, null)!);
    }

    [Fact]
    public void Dispose_LastHold_UnloadsTheCode()
    {
        using var code = UserCode.Compile("public class A;");
        var weak = HoldTwiceAndRelease(code);

        Assert.Equal(0, _assemblies.Count);
        CollectedItems.UntilTrue(() => !weak.IsAlive);
    }

    [Fact]
    public void Dispose_Twice_GivesUpOneHoldOnly()
    {
        using var code = UserCode.Compile("public class A;");
        using var kept = _assemblies.Acquire("h1", code.Assembly());
        var twice = _assemblies.Acquire("h1", code.Assembly());

        twice.Dispose();
        twice.Dispose();

        Assert.Equal(1, _assemblies.Count);
    }

    [Fact]
    public void Acquire_NoAssembly_LeavesNothingBehind()
    {
        using var code = new UserCode();
        File.WriteAllText(code.Assembly(), "not an assembly");

        Assert.Throws<DefinitionException>(() => _assemblies.Acquire("h1", code.Assembly()));

        Assert.Equal(0, _assemblies.Count);
    }

    // A separate method, so that no local variable of the test keeps the code alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference HoldTwiceAndRelease(UserCode code)
    {
        var first = _assemblies.Acquire("h1", code.Assembly());
        var second = _assemblies.Acquire("h1", code.Assembly());
        first.Dispose();
        Assert.Equal(1, _assemblies.Count);
        second.Dispose();
        return new WeakReference(first.Assembly);
    }

    private static string SystemNative() =>
        Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native.so");

    private static string Ask(UserAssemblyLease loaded) =>
        (string)loaded.Assembly.GetType("A")!.GetMethod("Get")!.Invoke(null, null)!;

    private static UserCode WithLibrary(string version)
    {
        var code = new UserCode();
        var library = code.Add($$"""
            [assembly: System.Reflection.AssemblyVersion("{{version}}")]
            public static class Library { public static string Version => typeof(Library).Assembly.GetName().Version!.ToString(); }
            """, "Library");
        code.Add("public class A { public static string Get() => Library.Version; }", "App", library);
        return code;
    }
}
