using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Text.Json;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Tests.Methods;

public sealed class ActorMethodTableUnloadTests
{
    [Fact]
    public async Task For_ClassOfACollectibleAssembly_DoesNotKeepItLoaded()
    {
        var loaded = await LoadAndCallAsync();
        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return !loaded.IsAlive;
        });
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> LoadAndCallAsync()
    {
        var context = new Collectible();
        var type = context.LoadFromAssemblyPath(typeof(Serve.Runtime.TestWorker.TestActor).Assembly.Location).GetType("Serve.Runtime.TestWorker.TestTopicSubscriber")!;
        Assert.NotSame(typeof(Serve.Runtime.TestWorker.TestTopicSubscriber), type);

        // Options of its own, as in a replica: shared ones would cache the types of the class.
        var bound = ActorMethodTable.For(type, new JsonSerializerOptions(JsonSerializerDefaults.Web)).Bind("OnPublishedAsync", new ObjectCallArguments([new TopicPublication("t", "", new(1, 1), ReadOnlyMemory<byte>.Empty)]));
        await bound.Method.InvokeAsync(Activator.CreateInstance(type)!, bound.Arguments, CancellationToken.None);
        context.Unload();
        return new WeakReference(context);
    }

    private sealed class Collectible() : AssemblyLoadContext(isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName) => null;
    }
}
