using Serve.Runtime;
using Serve.Runtime.TestWorker;

// "worker" is what a node under test starts; "node WORKERS" is a node that starts some and waits to be killed.
switch (args)
{
    case ["worker"]:
        await WorkerProcessHost.RunAsync(TestWorkerServices.Add);
        break;
    case ["node", var workers]:
        await WorkerSpawningTestNode.RunAsync(int.Parse(workers, System.Globalization.CultureInfo.InvariantCulture));
        break;
    default:
        Console.Error.WriteLine("worker | node N");
        return 2;
}

return 0;
