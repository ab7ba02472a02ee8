using Microsoft.Extensions.DependencyInjection;

namespace Serve.Runtime.TestWorker;

/// <summary>What a process under test is made of, node and worker alike.</summary>
public static class TestWorkerServices
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<IActorActivator, TestActorActivator>();
        services.AddSingleton<TestTopicSubscriber>();
        services.AddSingleton<ITopicSubscriber>(provider => provider.GetRequiredService<TestTopicSubscriber>());
    }
}
