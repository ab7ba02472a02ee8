namespace Serve.Runtime.Sessions;

/// <summary>The services of a cluster that stands by itself: none. Holds no state.</summary>
internal sealed class NoServices : IServiceProvider
{
    public object? GetService(Type serviceType) => serviceType == typeof(IEnumerable<ITopicSubscriber>) ? Array.Empty<ITopicSubscriber>()
        : serviceType == typeof(IEnumerable<IActorActivator>) ? Array.Empty<IActorActivator>()
        : null;
}
