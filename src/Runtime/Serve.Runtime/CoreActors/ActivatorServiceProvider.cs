namespace Serve.Runtime.CoreActors;

/// <summary>The services of a process that needs none but its activators; a container would take longer to build than an actor. Holds no state.</summary>
internal sealed class ActivatorServiceProvider(params IActorActivator[] activators) : IServiceProvider
{
    public object? GetService(Type serviceType) => serviceType == typeof(IEnumerable<IActorActivator>) ? activators
        : serviceType == typeof(IEnumerable<ITopicSubscriber>) ? Array.Empty<ITopicSubscriber>()
        : null;
}
